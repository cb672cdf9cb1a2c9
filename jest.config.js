// No transformer: jest 30.5 strips types itself. See https://github.com/jestjs/jest/pull/16421
export default {
  roots: ['<rootDir>/test'],
  transform: {},
  extensionsToTreatAsEsm: ['.ts'],
  testTimeout: 30_000,
  testPathIgnorePatterns: ['/node_modules/', '/test/reference/'],
};
