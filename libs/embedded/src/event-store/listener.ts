// Lets somebody listen to what clients call, without a part in it.
import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js'

/** Told the path of a method (`/package.Service/Method`) and one message that a client sent to it. */
export type OnMessage = (path: string, message: unknown) => void

export const listener =
  (onMessage: OnMessage): ServerInterceptor =>
  ({ path }, call) =>
    new ServerInterceptingCall(call, {
      start: next =>
        next({
          onReceiveMessage: (message, next) => {
            onMessage(path, message)
            next(message)
          },
        }),
    })
