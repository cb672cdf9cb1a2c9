import * as z from 'zod';
import { areGuestAttributesOn } from '../../compute/metadataTree.ts';
import { newId } from '../../compute/parts.ts';
import { quotaDetails, quotaMessage, stockOut } from '../failure.ts';
import { foreseen, soldOut } from '../faulty.ts';
import { checkId, checkNode, NodeBody, parse } from '../nodes/body.ts';
import { type Node, nodeResource } from '../nodes/node.ts';
import { nodeName, type Parts } from '../parts.ts';
import { exceeded } from '../quotas.ts';
import { alreadyExists, failedPrecondition, notFound, TpuError } from '../tpuError.ts';
import { found, listed, type On, type TpuRequest, text, zoneOf } from './request.ts';

const Query = z.strictObject({
  queryPath: z.string().default(''),
  workerIds: z.array(z.string()).optional(),
});

/** nodes: create, get, list, delete, getGuestAttributes. */
export function nodeRoutes(parts: Parts, on: On): void {
  const { context, tables, settings, operations, nodes } = parts;
  const nodeOf = (request: TpuRequest, name = request.params.node ?? ''): Node => {
    const key = { zone: zoneOf(parts, request), name };
    return found(tables.nodes.get(key), nodeName(context, key));
  };

  on('post', '/nodes', 'nodes.create', (request, response) => {
    const zone = zoneOf(parts, request);
    const key = { zone, name: checkId('node ID', text(request, 'nodeId')) };
    const body = parse(NodeBody, request.body, 'node');
    const { name: acceleratorType } = checkNode(zone, body);
    if (tables.nodes.get(key)) throw alreadyExists(nodeName(context, key));
    const { spot, preemptible } = body.schedulingConfig ?? {};
    const provisioningModel = spot || preemptible ? ('SPOT' as const) : ('STANDARD' as const);
    const created = new Date().toISOString();
    const node: Node = {
      ...{ ...key, id: newId(), state: 'CREATING', body, acceleratorType, provisioningModel, created },
    };
    const quota = exceeded(tables, settings, node);
    if (quota)
      throw new TpuError(429, 'RESOURCE_EXHAUSTED', quotaMessage(quota), quotaDetails(quotaMessage(quota)));
    const operation = operations.begin({ zone, verb: 'create', target: nodeName(context, key) });
    // Only queued resources wait.
    const failure = soldOut(settings, node) ? stockOut(zone) : foreseen(context, node);
    nodes.create(node, failure, (error) => {
      const made = tables.nodes.get(key) ?? node;
      const response = {
        '@type': 'type.googleapis.com/google.cloud.tpu.v2.Node',
        ...nodeResource(context, made),
      };
      operations.finish(operation, error ? { error } : { response });
    });
    response.json(operations.resource(operation));
  });

  on('get', '/nodes', 'nodes.list', (request, response) => {
    const items = tables.nodes.all().map((node) => ({
      zone: node.zone,
      resource: { ...nodeResource(context, node), name: nodeName(context, node) },
    }));
    response.json(listed(parts, request, 'nodes', items));
  });

  on('get', '/nodes/:node', 'nodes.get', (request, response) => {
    response.json(nodeResource(context, nodeOf(request)));
  });

  on('delete', '/nodes/:node', 'nodes.delete', (request, response) => {
    const node = nodeOf(request);
    const { zone, name } = node;
    const operation = operations.begin({ zone, verb: 'delete', target: nodeName(context, node) });
    nodes.remove({ zone, name }, (at) => operations.finish(operation, {}, at));
    response.json(operations.resource(operation));
  });

  // Also :start and :stop, which a node that takes part in a queue does not have.
  on('post', '/nodes/:call', 'nodes.getGuestAttributes', (request, response) => {
    const [name, verb] = (request.params.call ?? '').split(':');
    const node = nodeOf(request, name);
    if (verb !== 'getGuestAttributes')
      throw new TpuError(501, 'UNIMPLEMENTED', `The local Cloud TPU does not know ${verb} of nodes.`);
    const metadata = nodes.metadata(node);
    if (!metadata || !areGuestAttributesOn(metadata))
      throw failedPrecondition('Guest attributes endpoint access is disabled.');
    const { queryPath } = parse(Query, request.body, 'request');
    const [namespace, key] = queryPath.split('/').filter(Boolean);
    const items = Object.entries(metadata.guestAttributes)
      .flatMap(([space, values]) =>
        Object.entries(values).map(([one, value]) => ({ namespace: space, key: one, value })),
      )
      .filter((item) => (!namespace || item.namespace === namespace) && (!key || item.key === key));
    if (items.length === 0) throw notFound(`${nodeName(context, node)}/guestAttributes/${queryPath}`);
    response.json({ guestAttributes: [{ queryPath, queryValue: { items } }] });
  });
}
