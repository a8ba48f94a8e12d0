/** Text of an answer, its reasoning, or what a tool is called with; never empty. */
const content = /"(?:content|text|reasoning_content|reasoning|arguments)": ?"(?!")/;
const usage = /"completion_tokens": ?(\d+)/;

/** Enough for the usage of an answer to be found where two reads share it. */
const heldCharacters = 64;

/** Finds what a load test needs in answers of the OpenAI API, without parsing them: that would cost more than all the rest of it. */
export class TokenScanner {
  /** Events with text in them. */
  events = 0;
  /** As the answer says; null where it does not. */
  usedTokens: number | null = null;
  /** Whether the stream has told that it is complete. */
  isDone = false;
  /** Whether the stream has told of an error in its middle. */
  hasFailed = false;
  /** The beginning of a line whose end is still to come. */
  #held = '';

  /** Takes the next part of a stream, as Latin-1; gives how many events with text it has completed. */
  takeStream(part: string): number {
    const text = this.#held + part;
    const before = this.events;
    let at = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      // Blank lines part the events.
      if (end - at > 1) this.#takeLine(text.slice(at, end));
      at = end + 1;
    }
    this.#held = text.slice(at);
    return this.events - before;
  }

  /** Takes the next part of an answer that is no stream. */
  takeWhole(part: string): void {
    const text = this.#held + part;
    this.#takeUsage(text);
    this.#held = text.slice(-heldCharacters);
  }

  #takeLine(line: string): void {
    if (!line.startsWith('data:')) return;
    if (content.test(line)) this.events += 1;
    else if (/^data: ?\[DONE\]/.test(line)) this.isDone = true;
    else if (/^data: ?\{"error"/.test(line)) this.hasFailed = true;
    this.#takeUsage(line);
  }

  #takeUsage(text: string): void {
    if (!text.includes('"completion_tokens"')) return;
    const count = usage.exec(text)?.[1];
    if (count !== undefined) this.usedTokens = Number(count);
  }
}
