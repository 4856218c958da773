// Commands and editors' queries, on stores of their own.
import 'reflect-metadata'
import { configuredStores, openNewsroom } from '@stet/api'
import { runApp } from '@stet/platform'

void runApp({
  name: 'editorial-api',
  stores: 'remote',
  open: context => openNewsroom(context, configuredStores(context), ['editorial']),
})
