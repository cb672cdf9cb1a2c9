import { join } from 'node:path';
import { type handleUnaryCall, loadPackageDefinition, Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { readSchema } from '../../../../../deploy/google/schema/read.ts';
import type { Block, Schema, Type } from '../../../../../deploy/google/schema/schema.ts';
import { given } from './given.ts';
import { decode, encode, unknown, type Value } from './msgpack.ts';

export type Fields = { [name: string]: Value };
export type Done = {
  action: 'create' | 'update' | 'delete';
  type: string;
  name: string;
  /** What it was made to be; of what was deleted, nothing. */
  fields: Fields;
};

export type StandIn = {
  /** What Terraform is to be told, so that it talks to this process. */
  env: Record<string, string>;
  /** In the order in which it was asked for. */
  done: Done[];
  close(): Promise<void>;
};

/**
 * In place of the Google provider, where it is not installed: it accepts what the real one accepts (`deploy/google/schema/`),
 * knows as little before something is made, and remembers what it was given. So Terraform itself reads the whole
 * configuration, works out every value and every dependency, and plans, applies and destroys. It does not know what
 * Google would say to it.
 */
export async function startStandIn(): Promise<StandIn> {
  const schema = readSchema();
  const done: Done[] = [];
  /** All that is there, whether or not Terraform knows of it. */
  const there = new Map<string, Fields>();
  const blockOf = (type: unknown) => schema.resource[String(type)]?.block ?? {};

  const calls: Record<string, (request: Request) => object> = {
    GetSchema: () => ({
      provider: wire(schema.provider),
      resourceSchemas: all(schema.resource),
      dataSourceSchemas: all(schema.data),
    }),
    PrepareProviderConfig: ({ config }) => ({ preparedConfig: config }),
    ValidateResourceTypeConfig: () => ({}),
    ValidateDataSourceConfig: () => ({}),
    Configure: () => ({}),
    UpgradeResourceState: ({ rawState }) => ({ upgradedState: { json: rawState?.json } }),
    ReadResource: ({ currentState }) => ({ newState: currentState }),
    PlanResourceChange: ({ typeName, priorState, proposedNewState }) => {
      const proposed = read(proposedNewState);
      const isNew = read(priorState) === null;
      const planned = proposed && isNew ? fill(blockOf(typeName), proposed, () => unknown) : proposed;
      const known = planned && isNew ? { ...planned, ...given(typeName, planned, 'plan') } : planned;
      return { plannedState: write(withoutSecrets(blockOf(typeName), known)), legacyTypeSystem: true };
    },
    ApplyResourceChange: ({ typeName, priorState, plannedState }) => {
      const prior = read(priorState);
      const planned = read(plannedState);
      const action = !prior ? 'create' : planned ? 'update' : 'delete';
      const name = nameOf(planned ?? prior ?? {});
      done.push({ action, type: typeName, name, fields: planned ?? {} });
      there.delete(`${typeName} ${name}`);
      if (!planned) return { newState: plannedState, legacyTypeSystem: true };
      const made = fill(blockOf(typeName), { ...planned, ...given(typeName, planned, 'apply') }, nothing);
      there.set(`${typeName} ${name}`, made);
      return { newState: write(made), legacyTypeSystem: true };
    },
    ImportResourceState: ({ typeName, id }) => {
      const found = there.get(`${typeName} ${id}`);
      if (!found) return { diagnostics: [{ severity: 1, summary: `There is no ${typeName} ${id}` }] };
      return { importedResources: [{ typeName, state: write(found) }] };
    },
    ReadDataSource: ({ typeName, config }) => {
      const asked = read(config) ?? {};
      const block = schema.data[typeName]?.block ?? {};
      return {
        state: write(fill(block, { ...asked, ...given(`data.${typeName}`, asked, 'apply') }, nothing)),
      };
    },
    Stop: () => ({}),
  };

  const file = join(import.meta.dirname, 'plugin.proto');
  // biome-ignore lint/suspicious/noExplicitAny: what is made of a file at run time has no type.
  const { tfplugin5 } = loadPackageDefinition(loadSync(file)) as any;
  const server = new Server({ 'grpc.max_receive_message_length': 1 << 26 });
  server.addService(
    tfplugin5.Provider.service,
    Object.fromEntries(
      Object.entries(calls).map(([name, answer]): [string, handleUnaryCall<Request, object>] => [
        name,
        ({ request }, reply) => {
          try {
            reply(null, answer(request));
          } catch (error) {
            reply(error as Error);
          }
        },
      ]),
    ),
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const attach = {
    Protocol: 'grpc',
    ProtocolVersion: 5,
    Pid: process.pid,
    Test: true,
    Addr: { Network: 'tcp', String: `127.0.0.1:${port}` },
  };
  return {
    // https://developer.hashicorp.com/terraform/plugin/debugging#terraform-reattach-providers
    env: { TF_REATTACH_PROVIDERS: JSON.stringify({ 'registry.terraform.io/hashicorp/google': attach }) },
    done,
    close: async () => server.forceShutdown(),
  };
}

type Dynamic = { msgpack?: Buffer; json?: Buffer };
type Request = {
  typeName: string;
  id?: string;
  config?: Dynamic;
  priorState?: Dynamic;
  proposedNewState?: Dynamic;
  plannedState?: Dynamic;
  currentState?: Dynamic;
  rawState?: { json: Buffer };
};

const read = (value: Dynamic | undefined): Fields | null =>
  value?.msgpack?.length ? (decode(value.msgpack) as Fields | null) : null;
const write = (value: Fields | null): Dynamic => ({ msgpack: encode(value) });

const names = [
  'name',
  'account_id',
  'role_id',
  'repository_id',
  'bucket',
  'topic',
  'service',
  'display_name',
  'id',
];
const nameOf = (fields: Fields): string =>
  String(names.map((name) => fields[name]).find((value) => typeof value === 'string') ?? '');

/** Gives what nobody has said, and only the service could say, a value. */
function fill(
  { attributes = {}, block_types = {} }: Block,
  fields: Fields,
  value: (type: Type) => Value,
): Fields {
  const filled = Object.entries(attributes).map(([name, { computed, type }]): [string, Value] => {
    const now = fields[name] ?? null;
    return [name, computed && (now === null || now === unknown) ? value(type) : now];
  });
  const nested = Object.entries(block_types).map(([name, { block, nesting_mode }]): [string, Value] => {
    const now = fields[name] ?? null;
    if (nesting_mode === 'single')
      return [name, now && now !== unknown ? fill(block, now as Fields, value) : now];
    return [name, Array.isArray(now) ? now.map((one) => fill(block, one as Fields, value)) : now];
  });
  return Object.fromEntries([...filled, ...nested]);
}

/** What is given to a provider and never kept. */
function withoutSecrets({ attributes = {} }: Block, fields: Fields | null): Fields | null {
  if (!fields) return null;
  const secret = Object.keys(attributes).filter((name) => attributes[name]?.write_only);
  return { ...fields, ...Object.fromEntries(secret.map((name) => [name, null])) };
}

const nothing = (type: Type): Value => {
  if (Array.isArray(type)) return type[0] === 'map' ? {} : type[0] === 'object' ? null : [];
  return { string: '', number: 0, bool: false, dynamic: null }[type];
};

const modes = { single: 1, list: 2, set: 3 };
const wire = ({ version, block }: Schema): object => ({ version, block: wireBlock(block) });
const all = (schemas: Record<string, Schema>) =>
  Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, wire(schema)]));
function wireBlock({ attributes = {}, block_types = {} }: Block): object {
  return {
    attributes: Object.entries(attributes).map(([name, { type, write_only, ...more }]) => ({
      ...{ name, type: Buffer.from(JSON.stringify(type)), writeOnly: write_only === true },
      ...more,
    })),
    blockTypes: Object.entries(block_types).map(([name, { block, nesting_mode, min_items, max_items }]) => ({
      ...{ typeName: name, block: wireBlock(block), nesting: modes[nesting_mode] },
      ...{ minItems: min_items ?? 0, maxItems: max_items ?? 0 },
    })),
  };
}
