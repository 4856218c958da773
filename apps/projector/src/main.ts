// Runs the projections, on stores of their own; as many of them as one likes may run at once.
import 'reflect-metadata'
import { configuredStores, openNewsroom } from '@stet/api'
import { runApp } from '@stet/platform'

void runApp({
  name: 'projector',
  stores: 'remote',
  open: context => openNewsroom(context, configuredStores(context), ['projections']),
})
