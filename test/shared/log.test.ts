import { expect, test } from '@jest/globals';
import { type LogContext, logFor } from '../../shared/log.ts';

function capture(context: Partial<LogContext> = {}) {
  const lines: string[] = [];
  const log = logFor({ function: 'file-sync', event: 'e1', project: 'lab', ...context }, (line) => {
    lines.push(line);
  });
  return { log, lines, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const trace = '0af7651916cd43dd8448eb211c80319c';

test('each entry is one line with its severity, the function and the event', () => {
  const { log, lines, entries } = capture();
  log.info('synced', { object: 'a\nb' });
  log.warning('odd');
  log.error('failed');
  expect(lines.join('')).not.toContain('\n');
  expect(entries()).toEqual([
    { severity: 'INFO', message: 'synced', object: 'a\nb', function: 'file-sync', event: 'e1' },
    { severity: 'WARNING', message: 'odd', function: 'file-sync', event: 'e1' },
    expect.objectContaining({
      severity: 'ERROR',
      message: 'failed',
      function: 'file-sync',
      event: 'e1',
    }),
  ]);
});

test('an error is found by Error Reporting: by its stack, or, without one, by its type', () => {
  const { log, entries } = capture();
  log.error('failed', { error: new TypeError('odd') });
  log.error('unprocessable', { reason: 'no' });
  log.warning('odd');
  const type = 'type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent';
  expect(entries()).toEqual([
    // The form of V8's stacks, which it knows: https://docs.cloud.google.com/error-reporting/reference/rest/v1beta1/projects.events/report
    expect.objectContaining({
      stack_trace: expect.stringMatching(/^TypeError: odd\n {4}at .*log\.test\.ts:\d+:\d+/),
    }),
    expect.objectContaining({ '@type': type, message: 'unprocessable' }),
    expect.not.objectContaining({ '@type': type }),
  ]);
});

const span = 'b7ad6b7169203331';
test.each([
  ['traceparent', `00-${trace}-${span}-01`, span, true],
  ['traceparent that is not sampled', `00-${trace}-${span}-00`, span, false],
  ['traceparent of a later version', `cc-${trace}-${span}-09-more`, span, true],
  // Decimal there, hexadecimal in the log.
  ['x-cloud-trace-context', `${trace}/13235353014750950193;o=1`, span, true],
  ['x-cloud-trace-context with a small span', `${trace}/74;o=0`, '000000000000004a', false],
  ['x-cloud-trace-context without a span', trace, undefined, false],
  ['x-cloud-trace-context with a span that is too large', `${trace}/99999999999999999999`, undefined, false],
])('the trace is found in %s', (_header, value, spanId, isSampled) => {
  const { log, entries } = capture({ trace: value });
  log.info('x');
  expect(entries()[0]).toMatchObject({
    'logging.googleapis.com/trace': `projects/lab/traces/${trace}`,
    'logging.googleapis.com/trace_sampled': isSampled,
  });
  expect(entries()[0]?.['logging.googleapis.com/spanId']).toBe(spanId);
});

test.each([undefined, '', 'nonsense', `${trace}0/1`, `00-${trace}-`, '../../etc'])(
  'no trace is made up from %j',
  (value) => {
    const { log, entries } = capture({ trace: value });
    log.info('x');
    expect(Object.keys(entries()[0] ?? {})).toEqual(['severity', 'message', 'function', 'event']);
  },
);

test('an error is logged with its stack and its causes, and with nothing else that hangs on it', () => {
  const { log, lines, entries } = capture();
  const cause = Object.assign(new Error('the cause'), { response: { headers: { cookie: 'secret-1' } } });
  const error = Object.assign(new Error('it failed', { cause }), {
    config: { headers: { authorization: 'Bearer secret-2' } },
  });
  log.error('failed', { error, object: 'a.png' });
  expect(entries()[0]).toMatchObject({
    severity: 'ERROR',
    object: 'a.png',
    stack_trace: expect.stringMatching(/it failed[\s\S]*log\.test\.ts[\s\S]*Caused by: Error: the cause/),
  });
  expect(lines[0]).not.toMatch(/secret-|"error"/);
});

test('whatever is thrown can be logged, a circle of causes too', () => {
  const circle = new Error('circle');
  circle.cause = circle;
  const { log, entries } = capture();
  for (const error of ['a string', 42, null, circle]) log.error('failed', { error });
  expect(entries().map(({ stack_trace }) => String(stack_trace).split('\n')[0])).toEqual([
    'a string',
    '42',
    'null',
    'Error: circle',
  ]);
});

test('no field can pass for the severity, the message, the function or the event', () => {
  const { log, entries } = capture();
  log.error('real', { severity: 'DEBUG', message: 'other', function: 'other', event: 'other' });
  expect(entries()[0]).toMatchObject({
    ...{ severity: 'ERROR', message: 'real', function: 'file-sync', event: 'e1' },
  });
});
