import { type Command, CommanderError } from 'commander';

/** Runs a script by its own arguments. Ends with 2 where they are wrong, and with 1 and one line where the work failed. */
export async function runScript(program: Command, example: string): Promise<void> {
  program
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText('after', `\nExample:\n  ${example}`);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else {
      report(`error: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}

/** Prints a line of what was asked for. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Tells whoever watches how the work goes; kept apart from what was asked for. */
export function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
