// The thread that rest.ts starts.
import { workerData } from 'node:worker_threads'
import { checkFile, type CheckOptions } from './check'

const { file, options } = workerData as { file: string; options: CheckOptions }
checkFile(file, options)
