import { expect, test } from '@jest/globals';
import { channelToken, isChannelToken } from '../../../shared/drive/channelToken.ts';

const secret = 'a secret of some length';

test('the token of a channel is known again', () => {
  expect(isChannelToken(secret, 'channel-1', channelToken(secret, 'channel-1'))).toBe(true);
});

test('the token of another channel, or of another secret, is not taken', () => {
  expect(isChannelToken(secret, 'channel-1', channelToken(secret, 'channel-2'))).toBe(false);
  expect(isChannelToken(secret, 'channel-1', channelToken(`${secret}!`, 'channel-1'))).toBe(false);
});

test.each(['', 'x', 'é'.repeat(300), '\0', channelToken(secret, 'channel-1').slice(0, -1)])(
  'a token of any shape is refused and not an error: %j',
  (token) => {
    expect(isChannelToken(secret, 'channel-1', token)).toBe(false);
  },
);

test('a token fits into what Drive allows, and goes into a header as it is', () => {
  expect(channelToken(secret, 'c'.repeat(64))).toMatch(/^[\w-]{43}$/);
});
