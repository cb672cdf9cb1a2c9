import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, test } from '@jest/globals';
import { describePubSub } from '../deploy/local/cloud/pubsub/suite.ts';

const onPath = (name: string) =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(existsSync);

/** Google's emulator, where `gcloud components install pubsub-emulator` has put it. */
const jar = [
  process.env.CLOUDSDK_ROOT_DIR,
  '/usr/lib/google-cloud-sdk',
  dirname(dirname(onPath('gcloud') ?? '/')),
]
  .flatMap((sdk) => (sdk ? globSync(join(sdk, 'platform/pubsub-emulator/lib/*.jar')) : []))
  .at(0);
const java = onPath('java');

if (jar && java) {
  let emulator: ChildProcess;
  let port = 0;
  beforeAll(async () => {
    // The clients need no credentials here, and must not look for any in the network.
    process.env.METADATA_SERVER_DETECTION = 'none';
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    port = (free.address() as { port: number }).port;
    free.close();
    await once(free, 'close');
    emulator = spawn(java, ['-jar', jar, '--host=127.0.0.1', `--port=${port}`]);
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        printed += chunk;
        if (printed.includes('Server started')) resolve();
      };
      emulator.stdout?.on('data', read);
      emulator.stderr?.on('data', read);
      emulator.once('exit', () => reject(new Error(printed)));
    });
  }, 60_000);
  afterAll(async () => {
    emulator.kill('SIGKILL');
    await once(emulator, 'exit');
  });
  describePubSub(() => ({ grpc: `127.0.0.1:${port}`, http: `http://127.0.0.1:${port}` }));
} else {
  const missing = java ? 'the pubsub-emulator component of gcloud' : 'Java';
  const reason = `Google's emulator is not compared: ${missing} is missing`;
  console.warn(reason);
  test.skip(reason, () => {});
}
