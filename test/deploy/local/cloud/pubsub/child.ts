import { startCloud } from '../../../../../deploy/local/cloud/cloud.ts';

// A cloud in a process of its own, which a test can kill.
const cloud = await startCloud({ dir: process.argv[2] ?? '' });
process.send?.({ origin: cloud.origin });
