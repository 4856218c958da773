// Readers' queries and the view beacon, on stores of their own.
import 'reflect-metadata'
import { configuredStores, openNewsroom } from '@stet/api'
import { runApp } from '@stet/platform'

void runApp({
  name: 'reader-api',
  stores: 'remote',
  open: context => openNewsroom(context, configuredStores(context), ['reader']),
})
