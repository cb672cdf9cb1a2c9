import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config, Human, Result } from '@vladmandic/human';
import { type Picture, shrink } from './picture.ts';

/** The models look at 512 pixels or less; a large photograph would only fill the memory. */
const longest = 1600;

const configuration = {
  backend: 'wasm',
  debug: false,
  async: false,
  warmup: 'none',
  // Each picture stands alone: nothing is remembered from the one before.
  cacheSensitivity: 0,
  filter: { enabled: false },
  gesture: { enabled: false },
  body: { enabled: false },
  hand: { enabled: false },
  segmentation: { enabled: false },
} satisfies Partial<Config>;

let loaded: Promise<Human> | undefined;

async function load(): Promise<Human> {
  const require = createRequire(import.meta.url);
  // The package names only its native build; its WASM build lies beside it.
  const dist = dirname(require.resolve('@vladmandic/human'));
  const { Human } = require(join(dist, 'human.node-wasm.js')) as typeof import('@vladmandic/human');
  const wasm = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
  readFilesWithFetch();
  const human = new Human({
    ...configuration,
    wasmPath: `${wasm}/`,
    modelBasePath: pathToFileURL(join(dist, '../models/')).href,
  });
  await human.init();
  return human;
}

/** TensorFlow loads models by fetch, which in Node knows no `file:`. Nothing else in this thread needs it. */
function readFilesWithFetch(): void {
  globalThis.fetch = async (input) => {
    const url = new URL(String(input));
    if (url.protocol !== 'file:') throw new Error(`The models are local; ${url.protocol} is not fetched`);
    return new Response(await readFile(url));
  };
}

export type Looked = Pick<Result, 'face' | 'object'> & { width: number; height: number };

/** Faces and objects; `width` and `height` are those of the picture that the boxes in pixels refer to. */
export async function look(picture: Picture, wanted: { faces: boolean; objects: boolean }): Promise<Looked> {
  loaded ??= load();
  const human = await loaded;
  const { width, height, data } = shrink(picture, longest);
  const rgb = new Int32Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from++) if (from % 4 !== 3) rgb[to++] = data[from] as number;
  const tensor = human.tf.tensor3d(rgb, [height, width, 3], 'int32');
  try {
    const result = await human.detect(tensor, {
      face: {
        enabled: wanted.faces,
        // Below this, dogs and bowls are faces, too.
        detector: { rotation: false, maxDetected: 50, minConfidence: 0.65 },
        mesh: { enabled: true },
        iris: { enabled: false },
        emotion: { enabled: false },
        description: { enabled: false },
      },
      object: { enabled: wanted.objects, minConfidence: 0.3, maxDetected: 50 },
    });
    if (result.error) throw new Error(result.error);
    return { face: result.face, object: result.object, width, height };
  } finally {
    tensor.dispose();
  }
}
