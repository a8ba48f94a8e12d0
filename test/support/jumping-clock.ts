import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';

/** A virtual clock whose process can be suspended: time then passes without a call being made, and the calls come late. */
export class JumpingClock extends VirtualClock {
  #suspendedMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.#suspendedMs;
  }

  /** The process sleeps this long: every call still to come comes that much later. */
  jump(byMs: number): void {
    this.#suspendedMs += byMs;
  }

  /** Lets time pass. */
  async pass(byMs: number): Promise<void> {
    await this.runUntil(super.nowMs() + byMs);
  }
}
