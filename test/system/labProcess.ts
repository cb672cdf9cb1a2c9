import { startLab } from '../../deploy/local/lab.ts';
import { functions } from '../../functions/index.ts';

// A lab in a process of its own, so that a test can kill it. Options come as JSON; where things are goes out as the
// first line, and every log entry of the functions as a line after it.
const lab = await startLab({
  ...JSON.parse(process.argv[2] ?? '{}'),
  onLog: (entry) => console.log(JSON.stringify(entry)),
});
const { origin, keyFile, project, studyFolder } = lab.cloud;
const pids = Object.fromEntries(Object.keys(functions).map((name) => [name, lab.host.pidOf(name)]));
console.log(JSON.stringify({ origin, keyFile, project, studyFolder, pids }));
process.once('SIGTERM', () => void lab.close().then(() => process.exit()));
