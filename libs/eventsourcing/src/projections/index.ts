// Read models: how they are run, rebuilt, watched and read.
export * from './contract'
