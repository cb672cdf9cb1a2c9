import { ComputeError, invalidField, notFound, notReady } from '../computeError.ts';
import { targetOf } from '../instances/actions.ts';
import { text } from '../lists/list.ts';
import { areGuestAttributesOn } from '../metadataTree.ts';
import { linkTo, type Parts, pathTo } from '../parts.ts';
import { instanceOf, type On } from './request.ts';

/** What a machine says of itself: getSerialPortOutput and getGuestAttributes. */
export function guestRoutes(parts: Parts, on: On): void {
  const { context, life } = parts;

  on(
    'get',
    '/zones/:zone/instances/:instance/serialPort',
    'instances.getSerialPortOutput',
    (request, response) => {
      const instance = instanceOf(parts, request);
      const port = text(request, 'port') ?? '1';
      if (!/^[1-4]$/.test(port)) throw invalidField('port', port, 'Must be between 1 and 4');
      const asked = text(request, 'start') ?? '0';
      if (!/^-?\d{1,15}$/.test(asked)) throw invalidField('start', asked, 'Must be a number');
      const runtime = life.runtime(instance);
      // Whoever wants to know why a machine has ended must have looked before.
      if (!runtime || instance.status === 'TERMINATED') throw notReady(pathTo(context, targetOf(instance)));
      const { contents, start, next } =
        port === '1' ? runtime.serial.read(Number(asked)) : { contents: '', start: 0, next: 0 };
      response.json({
        kind: 'compute#serialPortOutput',
        contents,
        start: String(start),
        next: String(next),
        selfLink: linkTo(context, `${targetOf(instance)}/serialPort`),
      });
    },
  );

  // https://cloud.google.com/compute/docs/metadata/manage-guest-attributes#get_guest_attributes
  on(
    'get',
    '/zones/:zone/instances/:instance/getGuestAttributes',
    'instances.getGuestAttributes',
    (request, response) => {
      const instance = instanceOf(parts, request);
      const metadata = life.runtime(instance)?.metadata;
      if (metadata && !areGuestAttributesOn(metadata))
        throw new ComputeError(412, 'conditionNotMet', 'Guest attributes endpoint access is disabled.');
      const variableKey = text(request, 'variableKey');
      const queryPath = (variableKey ?? text(request, 'queryPath') ?? '').replace(/\/$/, '');
      const [namespace, key] = queryPath.split('/');
      const items = Object.entries(metadata?.guestAttributes ?? {})
        .flatMap(([space, values]) =>
          Object.entries(values).map(([name, value]) => ({ namespace: space, key: name, value })),
        )
        .filter((item) => (!namespace || item.namespace === namespace) && (!key || item.key === key));
      if (items.length === 0)
        throw notFound(`${pathTo(context, targetOf(instance))}/guestAttributes/${queryPath}`);
      response.json({
        kind: 'compute#guestAttributes',
        ...(variableKey === undefined
          ? { queryPath: queryPath && `${queryPath}${key ? '' : '/'}`, queryValue: { items } }
          : { variableKey, variableValue: items[0]?.value }),
        selfLink: linkTo(context, `${targetOf(instance)}/guestAttributes/${queryPath}`),
      });
    },
  );
}
