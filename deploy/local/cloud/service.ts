import type { Router } from 'express';
import type { Faults } from './faults.ts';
import type { Requests } from './requests.ts';
import type { Store } from './store.ts';

/** What every service of the local cloud is given. */
export type Context = {
  store: Store;
  faults: Faults;
  requests: Requests;
  /** The one project there is. */
  project: string;
  /** `http://127.0.0.1:PORT`, known once the cloud listens. */
  origin(): string;
};

/** Where the bytes of an object in a bucket lie, for services that are given `gs://` addresses. */
export type ReadObject = (bucket: string, name: string) => { path: string; size: number } | undefined;

/** One of Google's services, as far as Gazeline and ordinary clients use it. */
export type Service = {
  /** The name of its folder, by which faults and requests are kept apart. */
  name:
    | 'storage'
    | 'drive'
    | 'pubsub'
    | 'scheduler'
    | 'vision'
    | 'language'
    | 'token'
    | 'compute'
    | 'monitoring'
    | 'notebooks'
    | 'billing'
    | 'tpu';
  /** The paths that are its own. */
  owns: RegExp;
  /** Google's own paths, whole: `/storage/v1/b/:bucket/o/:object`. It brings its own body parsers. */
  router: Router;
  /** How many things it still has to do by itself: files not read, pushes not sent, messages not acknowledged. */
  pending(): number;
  /** Models behind its answers and their versions, for services that Google answers with a model of its own. */
  models?: Record<string, string>;
  close(): Promise<void>;
};
