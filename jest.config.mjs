// One way to compile for every suite: swc turns our TypeScript and the ES-module-only packages into CommonJS.
const swc = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    target: 'es2022',
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
}
const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform: { '\\.[cm]?[jt]s$': ['@swc/jest', { ...swc, swcrc: false }] },
  transformIgnorePatterns: [
    '/node_modules/(?!(@nestjs|@golevelup|content-disposition|cookie|jose|htmlparser2|domhandler|domutils|domelementtype|dom-serializer|entities|isbot|temporal-polyfill|temporal-utils)/)',
  ],
  moduleNameMapper: { '^@stet/(\\w+)$': '<rootDir>/libs/$1/src/index.ts' },
  setupFiles: ['reflect-metadata'],
}
const suite = (name, testMatch) => ({ ...common, displayName: name, testMatch: testMatch.map(m => `<rootDir>/${m}`) })

export default {
  testTimeout: 60_000,
  projects: [
    suite('unit', ['libs/**/*.unit.spec.ts', 'apps/**/*.unit.spec.ts']),
    suite('int', ['libs/**/*.int.spec.ts', 'apps/**/*.int.spec.ts']),
    suite('contract', ['test/contract/**/*.spec.ts']),
    suite('e2e', ['test/**/*.e2e.spec.ts']),
    suite('soak', ['test/**/*.soak.spec.ts']),
  ],
}
