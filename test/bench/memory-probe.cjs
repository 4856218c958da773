// Preloaded into every process of a measured server: on SIGUSR2 it collects garbage and writes what is left, in bytes.
const { writeFileSync } = require('node:fs')
const { join } = require('node:path')
const v8 = require('node:v8')
const vm = require('node:vm')

process.on('SIGUSR2', () => {
  v8.setFlagsFromString('--expose-gc')
  const gc = vm.runInNewContext('gc')
  gc()
  gc()
  const { heapUsed, external } = process.memoryUsage()
  writeFileSync(join(process.env.MEMORY_PROBE, `${process.pid}.json`), JSON.stringify({ heapUsed, external }))
})
