import cliProgress from 'cli-progress';

export type ProgressBar = { show(done: number, total: number, text: string): void; end(): void };

/** On a terminal, below what is printed; elsewhere nothing. On standard error, so that the output can be piped on. */
export function openProgressBar(): ProgressBar {
  if (!process.stderr.isTTY) return { show() {}, end() {} };
  const bar = new cliProgress.SingleBar({
    format: '{bar} {value}/{total} {text}',
    stream: process.stderr,
    barsize: 24,
    clearOnComplete: true,
  });
  let isOpen = false;
  return {
    show(done, total, text) {
      if (!isOpen) bar.start(total, done, { text });
      isOpen = true;
      bar.setTotal(total);
      bar.update(done, { text });
    },
    end() {
      if (isOpen) bar.stop();
      isOpen = false;
    },
  };
}
