// The thread that rest.ts starts.
import { workerData } from 'node:worker_threads'
import { checkFile, type Meta } from './check'

const { file, meta } = workerData as { file: string; meta: Meta }
checkFile(file, { meta, isWhole: true })
