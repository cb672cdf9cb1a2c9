import { startCloud } from '../../../../../deploy/local/cloud/cloud.ts';

// A local cloud in a process of its own, so that a test can kill it.
const { origin } = await startCloud({ dir: process.argv[2] ?? '' });
process.send?.({ origin });
