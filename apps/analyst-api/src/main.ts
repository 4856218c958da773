// The event history for analysts, on stores of its own.
import 'reflect-metadata'
import { configuredStores, openNewsroom } from '@stet/api'
import { runApp } from '@stet/platform'

void runApp({
  name: 'analyst-api',
  stores: 'remote',
  open: context => openNewsroom(context, configuredStores(context), ['analyst']),
})
