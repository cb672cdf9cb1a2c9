import { bundle } from './bundle.ts';
import { frameworkFiles } from './framework.ts';
import { manifest } from './manifest.ts';

/**
 * All files of a function's package, by their names in it. It holds all it needs: where it is built with
 * `GOOGLE_VENDOR_NPM_DEPENDENCIES=true`, nothing is fetched, and what runs is what was tested.
 * https://cloud.google.com/functions/docs/writing/specifying-dependencies-nodejs#build_your_function_with_vendored_dependencies
 */
export async function packageOf(name: string): Promise<Map<string, Buffer>> {
  const parts = await Promise.all([bundle(name), frameworkFiles(), manifest(name)]);
  return new Map(parts.flatMap((part) => [...part]));
}
