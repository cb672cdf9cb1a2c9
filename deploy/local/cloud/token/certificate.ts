import { type KeyObject, sign } from 'node:crypto';

/**
 * A self-signed X.509 certificate, as Google serves the keys of its ID tokens in. Node reads certificates and makes none.
 * https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 */
export function certificateOf(
  { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject },
  { name, serial, from, to }: { name: string; serial: Buffer; from: Date; to: Date },
): string {
  // sha256WithRSAEncryption, 1.2.840.113549.1.1.11
  const algorithm = sequence(part(0x06, Buffer.from('2a864886f70d01010b', 'hex')), part(0x05));
  // One attribute, the common name, 2.5.4.3
  const who = sequence(
    part(0x31, sequence(part(0x06, Buffer.from('550403', 'hex')), part(0x0c, Buffer.from(name)))),
  );
  const body = sequence(
    part(0xa0, part(0x02, Buffer.from([2]))),
    // Its first byte makes the number a positive one, without a zero to spare.
    part(0x02, Buffer.from([0x40]), serial),
    algorithm,
    who,
    sequence(time(from), time(to)),
    who,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('RSA-SHA256', body, privateKey);
  const whole = sequence(body, algorithm, part(0x03, Buffer.from([0]), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** One value in DER. */
function part(tag: number, ...content: Buffer[]): Buffer {
  const value = Buffer.concat(content);
  if (value.length < 128) return Buffer.concat([Buffer.from([tag, value.length]), value]);
  const length = Buffer.alloc(3);
  length.writeUInt8(0x82);
  length.writeUInt16BE(value.length, 1);
  return Buffer.concat([Buffer.from([tag]), length, value]);
}

const sequence = (...content: Buffer[]) => part(0x30, ...content);

/** UTCTime: `261126061500Z` */
const time = (at: Date) => part(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));
