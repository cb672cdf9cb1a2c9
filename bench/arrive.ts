import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderPage } from '../deploy/local/example/renderPage.ts';
import { type Lab, startLab } from '../deploy/local/lab.ts';
import { settled } from '../deploy/local/settled.ts';
import { defaultSettings, imageFeatures } from '../shared/annotation/settings.ts';
import { clients } from '../shared/clients.ts';
import { median, quantile, table } from './report.ts';

/*
 * The time from dropping a file into the Drive to its annotation object, one file after the other: pages of text, with
 * the models cold (the first file after a start) and warm. The peer, in the same run: the same pages sent straight to
 * the same Vision with the same features. What is above it is the way through the system.
 */
const files = Number(process.argv[2] ?? 50);
const coldStarts = Number(process.argv[3] ?? 5);
const dir = await mkdtemp(join(tmpdir(), 'gazeline-bench-'));
// One port for all starts: the clients of this process keep the address that they saw first.
let port = 0;
async function open(): Promise<Lab> {
  const lab = await startLab({
    dir,
    port,
    onLog: ({ severity, message }) => severity !== 'INFO' && console.error(message),
  });
  port = Number(new URL(lab.cloud.origin).port);
  return lab;
}

const pageOf = async (text: string) => (await renderPage(text, { width: 640, height: 240 })).png;

async function drop(lab: Lab, name: string, png: Buffer): Promise<number> {
  const annotation = (await clients.storage()).bucket('derived').file(`annotations/${name}.json`);
  const start = performance.now();
  await writeFile(join(dir, 'drive', name), png);
  for (;;) {
    const [there] = await annotation.exists();
    if (there) return performance.now() - start;
    if (performance.now() - start > 60_000)
      throw new Error(`${name} was not annotated; see ${lab.cloud.origin}`);
    await sleep(5);
  }
}

const cold: number[] = [];
for (let index = 0; index < coldStarts; index++) {
  const lab = await open();
  await settled(lab.cloud.origin);
  cold.push(
    await drop(lab, `cold ${index}.png`, await pageOf(`The cold page ${index} is the first after a start.`)),
  );
  await lab.close();
}

const lab = await open();
await settled(lab.cloud.origin);
await drop(lab, 'warm up.png', await pageOf('This page warms the models up.'));
const warm: number[] = [];
const bare: number[] = [];
const vision = await clients.vision();
const features = defaultSettings.annotate.images.map((feature) => ({ type: imageFeatures[feature] }));
for (let index = 0; index < files; index++) {
  const png = await pageOf(`Page ${index}: the lamp was lit at dusk, and nobody came up the stairs.`);
  warm.push(await drop(lab, `${index}.png`, png));
  const content = (await readFile(join(dir, 'drive', `${index}.png`))).toString('base64');
  const start = performance.now();
  await vision.batchAnnotateImages({ requests: [{ image: { content }, features }] });
  bare.push(performance.now() - start);
}
await lab.close();
await rm(dir, { recursive: true });

const row = (what: string, values: number[]) => [
  what,
  values.length,
  median(values).toFixed(0),
  quantile(values, 0.95).toFixed(0),
  (median(values) / median(bare)).toFixed(2),
];
console.log(
  table(
    ['', 'files', 'median, ms', 'p95, ms', '× bare Vision'],
    [
      row('drop → annotation, cold models', cold),
      row('drop → annotation, warm models', warm),
      row('bare Vision', bare),
    ],
  ),
);
