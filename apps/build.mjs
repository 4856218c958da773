// `npm run build`: everything into dist/, in one compiler call.
import { build, install } from './prepare.mjs'

install()
build({ force: true })
