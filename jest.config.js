// No transformer: jest 30.5 strips types itself. See https://github.com/jestjs/jest/pull/16421
export default {
  roots: ['<rootDir>/test'],
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  testTimeout: 30_000,
  // Most tests wait for other processes; one worker for each core would leave the cores idle.
  maxWorkers: 3,
  testPathIgnorePatterns: ['/node_modules/', '/test/reference/'],
};
