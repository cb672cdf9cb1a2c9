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

test.each([
  ['traceparent', `00-${trace}-b7ad6b7169203331-01`],
  ['x-cloud-trace-context', `${trace}/1234567890;o=1`],
  ['x-cloud-trace-context without a span', trace],
])('the trace is found in %s', (_header, value) => {
  const { log, entries } = capture({ trace: value });
  log.info('x');
  expect(entries()[0]).toHaveProperty(['logging.googleapis.com/trace'], `projects/lab/traces/${trace}`);
});

test.each([undefined, '', 'nonsense', `${trace}0/1`, '../../etc'])('no trace is made up from %j', (value) => {
  const { log, entries } = capture({ trace: value });
  log.info('x');
  expect(entries()[0]).not.toHaveProperty(['logging.googleapis.com/trace']);
});

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
