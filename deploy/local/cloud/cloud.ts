import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import express from 'express';
import { createBilling } from './billing/billing.ts';
import { createCompute } from './compute/compute.ts';
import { createDrive } from './drive/drive.ts';
import { createFaults } from './faults.ts';
import { answerErrors, GoogleError } from './googleError.ts';
import { createLanguage } from './language/language.ts';
import { createMonitoring } from './monitoring/monitoring.ts';
import { createNotebooks } from './notebooks/notebooks.ts';
import { createPubSub } from './pubsub/pubsub.ts';
import { createRequests } from './requests.ts';
import { createScheduler } from './scheduler/scheduler.ts';
import type { Context, Service } from './service.ts';
import { createStorage } from './storage/storage.ts';
import { openStore } from './store.ts';
import { createToken } from './token/token.ts';
import { createTpu } from './tpu/tpu.ts';
import { createVision } from './vision/vision.ts';

export type CloudOptions = {
  /** The folder that holds everything; made if it is not there. */
  dir: string;
  /** Port of all HTTP APIs, on the loopback interface; 0 takes a free one. */
  port?: number;
  /** Port of Pub/Sub's gRPC, on the loopback interface; 0 takes a free one. */
  grpcPort?: number;
  project?: string;
  /** Replaced by tests that want the same faults again. */
  random?: () => number;
};

export type Cloud = {
  /** `http://127.0.0.1:PORT` */
  origin: string;
  /** `127.0.0.1:PORT`, for example for `PUBSUB_EMULATOR_HOST`. */
  grpcHost: string;
  project: string;
  keyFile: string;
  /** The Drive id of the folder that is `drive/` on disk. */
  studyFolder: string;
  close(): Promise<void>;
};

/**
 * Starts a small Google Cloud over a folder. Besides Google's own paths it answers:
 *
 *     /                  what runs here, and the models behind its answers
 *     /_local/pending    how much each service still has to do by itself; all zero means settled
 *     /_local/requests   what reached each service
 *     /_local/faults     faults to be switched on
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { dir, port = 0, grpcPort = 0, project = 'gazeline-local', random } = options;
  const store = openStore(dir);
  let origin = '';
  const context: Context = {
    store,
    faults: createFaults(random),
    requests: createRequests(),
    project,
    origin: () => origin,
  };

  const token = createToken(context);
  const pubsub = createPubSub(context);
  const scheduler = createScheduler(context, { publish: pubsub.publish });
  const storage = createStorage(context, { publish: pubsub.publish, ...token.serviceAccount });
  const vision = createVision(context, storage);
  const language = createLanguage(context, storage);
  const drive = createDrive(context);
  const compute = createCompute(context, token.serviceAccount.keyFile);
  const tpu = createTpu(context, token.serviceAccount.keyFile);
  const monitoring = createMonitoring(context, compute.machines, storage.stored);
  const { tables } = compute.machines.parts;
  const things = { runs: tables.runs.all, disks: tables.disks.all, tpuRuns: tpu.runs };
  const billing = createBilling(context, { publish: pubsub.publish, things, random });
  const notebooks = createNotebooks(context, compute.machines);
  // Workbench has its own among the operations that TPUs have at the same place, so it comes before them.
  // Storage owns any /BUCKET/OBJECT that is not a path of another. What comes last is closed first: machines may want to
  // save something at their end.
  const services: Service[] = [
    token,
    pubsub,
    scheduler,
    drive,
    vision,
    language,
    monitoring,
    notebooks,
    billing,
    storage,
    compute,
    tpu,
  ];

  const app = express().disable('x-powered-by').disable('etag');
  app.use('/_local/faults', express.json(), context.faults.router);
  app.use('/_local/requests', context.requests.router);
  app.get('/_local/pending', (_request, response) => {
    response.json(Object.fromEntries(services.map(({ name, pending }) => [name, pending()])));
  });
  app.get('/', (_request, response) => {
    const models = Object.fromEntries(
      services.flatMap(({ name, models }) => (models ? [[name, models]] : [])),
    );
    response.json({
      name: 'Gazeline local cloud',
      project,
      services: services.map(({ name }) => name),
      models,
    });
  });
  for (const { name, owns, router } of services) {
    const chain = express.Router();
    chain.use(context.requests.middleware(name), context.faults.middleware(name), router);
    app.use((request, response, next) => (owns.test(request.path) ? chain(request, response, next) : next()));
  }
  app.use((request, _response, next) => {
    next(new GoogleError(404, 'notFound', `The local cloud does not know ${request.method} ${request.path}`));
  });
  app.use(answerErrors);

  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  // A publish request may have 10 MB.
  const grpc = new GrpcServer({ 'grpc.max_receive_message_length': 20_000_000 });
  pubsub.addTo(grpc);
  const grpcHost = await new Promise<string>((resolve, reject) => {
    grpc.bindAsync(`127.0.0.1:${grpcPort}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(`127.0.0.1:${bound}`);
    });
  });

  return {
    origin,
    grpcHost,
    project,
    keyFile: token.serviceAccount.keyFile,
    studyFolder: drive.studyFolder,
    async close() {
      for (const service of services.toReversed()) await service.close();
      grpc.forceShutdown();
      server.close();
      server.closeAllConnections();
      store.close();
    },
  };
}
