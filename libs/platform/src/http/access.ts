// Fails the start on a route that declares nobody who may call it.
import { RequestMethod } from '@nestjs/common'
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants'
import { type INestApplication } from '@nestjs/common'
import { DiscoveryService, MetadataScanner } from '@nestjs/core'
import { ACCESS, type Access } from '../auth/roles'

/** A method of a controller that answers requests. */
export interface ControllerRoute {
  readonly controller: abstract new (...args: never[]) => object
  readonly handler: string
  readonly method: string
  /** In Nest's syntax: `/editorial/v1/articles/:id`. */
  readonly path: string
  readonly access: Access | undefined
}

/** All routes of all controllers of an application; DiscoveryModule must be imported. */
export const controllerRoutes = (app: INestApplication): ControllerRoute[] =>
  app
    .get(DiscoveryService, { strict: false })
    .getControllers()
    .flatMap(({ metatype }) => (metatype ? routesOf(metatype as ControllerRoute['controller']) : []))

/** Routes of one controller class. */
export const routesOf = (controller: ControllerRoute['controller']): ControllerRoute[] => {
  const prototype = controller.prototype as Record<string, object>
  return new MetadataScanner().getAllMethodNames(prototype).flatMap(handler => {
    const method = prototype[handler]
    if (!method || !Reflect.hasMetadata(METHOD_METADATA, method)) return []
    const access =
      (Reflect.getMetadata(ACCESS, method) as Access | undefined) ??
      (Reflect.getMetadata(ACCESS, controller) as Access | undefined)
    const paths = [controller, method].map(
      target => [Reflect.getMetadata(PATH_METADATA, target) as string].flat()[0] ?? '',
    )
    return [
      {
        controller,
        handler,
        access,
        method: RequestMethod[Reflect.getMetadata(METHOD_METADATA, method) as number] ?? 'GET',
        path: `/${paths
          .map(path => path.replace(/^\/+|\/+$/g, ''))
          .filter(path => path !== '')
          .join('/')}`,
      },
    ]
  })
}

/** @throws Error that names the first route without a declared role */
export const refuseUndeclared = (routes: readonly ControllerRoute[]): void => {
  for (const { access, method, path } of routes)
    if (!access)
      throw new Error(
        `${method} ${path} declares no role: give its operation a row in the table of roles, or add @Roles(...), @Open() or @Operations()`,
      )
}
