#!/usr/bin/env node
// `stet`: runs the compiled command line; compiles it first on a clone where nothing was built yet.
const { existsSync } = require('node:fs')
const { join } = require('node:path')

const main = join(__dirname, '../../../dist/apps/cli/src/main.js')
const prepare = join(__dirname, '../../prepare.mjs')

const run = async () => {
  if (!existsSync(main)) {
    if (!existsSync(prepare)) throw new Error('nothing is built here and the sources are absent: install a release')
    const { install, build } = await import(prepare)
    install()
    console.error('Nothing is built yet: building first.')
    build({ force: true })
  }
  require(main)
}

run().catch(error => {
  console.error(`stet: ${error.message}`)
  process.exitCode = 1
})
