// Lets somebody listen to what clients call, without a part in it.
import { Message } from 'google-protobuf'
import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js'

/** Told the path of a method (`/package.Service/Method`) and one message that a client sent to it. */
export type OnMessage = (path: string, message: Message) => void

export const listener =
  (onMessage: OnMessage): ServerInterceptor =>
  ({ path }, call) =>
    new ServerInterceptingCall(call, {
      start: next =>
        next({
          onReceiveMessage: (message, next) => {
            // Batches come in another form and are told of where they are read.
            if (message instanceof Message) onMessage(path, message)
            next(message)
          },
        }),
    })
