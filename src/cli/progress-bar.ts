const WIDTH = 30;

/** Shows how far a command has come: a bar that is written over itself on a terminal, a line each tenth elsewhere. */
export function progressBar(
  stream: { isTTY?: boolean; write(text: string): unknown },
  { total, unit }: { total: number; unit: string },
): { advance(count: number): void; end(): void } {
  let done = 0;
  let shown = -1;
  const text = () => `${done} of ${total} ${unit}`;
  function show(): void {
    // What is counted may grow while it is counted.
    const part = total === 0 ? 1 : Math.min(done / total, 1);
    const step = Math.floor(part * (stream.isTTY ? 1_000 : 10));
    if (step === shown) return;
    shown = step;
    if (!stream.isTTY) stream.write(`${text()}\n`);
    else {
      const filled = Math.round(part * WIDTH);
      const percent = `${Math.floor(part * 100)} %`.padStart(5);
      stream.write(`\r\u001b[2K${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${percent}  ${text()}`);
    }
  }
  return {
    advance(count) {
      done += count;
      show();
    },
    end: () => {
      if (stream.isTTY) stream.write('\r\u001b[2K');
    },
  };
}
