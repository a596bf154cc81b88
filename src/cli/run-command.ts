/**
 * Runs a command and ends the process: with the exit code that it returns (0 when it returns anything else), or with one message for a
 * person and 1 when it throws. The schema engine leaves a timer of ten seconds behind, for which nobody should wait.
 */
export async function runCommand(command: () => Promise<unknown>): Promise<never> {
  try {
    const code = await command();
    process.exit(typeof code === 'number' ? code : 0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
