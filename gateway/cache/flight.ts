import type { Clock } from '../kernel/clock.ts';
import { asGatewayError, GatewayError } from '../kernel/errors.ts';
import type { BufferRoom } from '../pipeline/buffer-room.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { HeaderList } from '../pipeline/headers.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Serve } from '../pipeline/stage.ts';
import type { BodyReader } from './body-reader.ts';
import type { CacheKey } from './key.ts';
import { type Ended, SharedBody } from './shared-body.ts';
import { whyNotShared } from './storable.ts';

/** Makes of an answer that was computed for somebody else the one that an exchange gets: with its own id, and as a stream or not, as it asked. */
export type Render = (reply: Reply, exchange: Exchange) => Reply;

/** What all flights of a process have in common. */
export interface FlightParts {
  readonly clock: Clock;
  readonly room: BufferRoom;
  /** Of one answer, kept for those who come late or read slowly. */
  readonly maxBytes: number;
  readonly render: Render;
  readonly counts: FlightCounts;
  /** Nobody may join it any more. May be called again. */
  onClosed(flight: Flight): void;
  /** Nor will it be any better with the next one of its key. */
  onUnshareable(flight: Flight): void;
}

/** Computations under way, those who wait for one or read its answer, and how many have ever joined one that was begun for somebody else. */
export interface FlightCounts {
  underWay: number;
  members: number;
  followers: number;
}

/** Somebody who waits for the head of an answer and then reads it. */
interface Member {
  readonly exchange: Exchange;
  readonly next: Serve;
  readonly joinedAtMs: number;
  readonly onCancel: (reason: GatewayError) => void;
  /** Null until the head has come. */
  reader: BodyReader | null;
  resolve(reply: Reply | Promise<Reply>): void;
  reject(error: GatewayError): void;
}

/** So often one flight is begun: for the first, and when that dies, for one or two of those who wait. */
const mostLaunches = 3;
const nothing = new Uint8Array(0);

/**
 * One computation and those who wait for it. It goes on by itself, in an exchange of its own, as long as anybody is left. When it dies, and not by
 * a failure that the next one would meet as well, it is begun anew for one of those who wait.
 */
export class Flight {
  readonly key: CacheKey;
  readonly #parts: FlightParts;
  readonly #members = new Set<Member>();
  /** For whom it is computed; null where nobody asked. */
  #owner: Member | null = null;
  #work: Exchange | null = null;
  #isUnderWay = false;
  /** Wanted though nobody waits for it. */
  #isWanted = false;
  #launches = 0;
  /** What is known upstream of the time it has. */
  #toldDeadlineMs = Number.POSITIVE_INFINITY;
  /** The request, as far as nobody else accounts for it. */
  #heldBytes = 0;
  #reply: Reply | null = null;
  #body: SharedBody | null = null;

  constructor(key: CacheKey, parts: FlightParts) {
    this.key = key;
    this.#parts = parts;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  /** False when it has been given up and only its end has still to come. */
  get mayBeJoined(): boolean {
    return this.#work?.cancellation.reason === null;
  }

  /** Begins it for an exchange. Resolves at the head of its answer. */
  lead(exchange: Exchange, next: Serve): Promise<Reply> {
    const { promise, member } = this.#admit(exchange, next);
    this.#launch(exchange, next, member);
    return promise;
  }

  /** The same answer for another one. */
  join(exchange: Exchange, next: Serve): Promise<Reply> {
    const { promise, member } = this.#admit(exchange, next);
    this.#work?.prolongTo(exchange.deadlineMs);
    if (this.#reply !== null && this.#body !== null) this.#seat(member, this.#reply, this.#body);
    return promise;
  }

  /** Begins it for nobody; it goes on to its end whether or not anybody joins. Its request is accounted for until then. */
  leadForNobody(exchange: Exchange, next: Serve, requestBytes: number): void {
    this.#isWanted = true;
    this.#heldBytes = requestBytes;
    this.#launch(exchange, next, null);
  }

  /** Ends it for all. */
  cut(error: GatewayError): void {
    this.#work?.cancellation.cancel(error);
  }

  get #isDeserted(): boolean {
    return this.#members.size === 0 && !this.#isWanted;
  }

  #admit(exchange: Exchange, next: Serve): { readonly promise: Promise<Reply>; readonly member: Member } {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const onCancel = (reason: GatewayError): void => this.#leave(member, reason);
    const joinedAtMs = this.#parts.clock.nowMs();
    const member: Member = { exchange, next, joinedAtMs, onCancel, reader: null, resolve, reject };
    this.#members.add(member);
    this.#parts.counts.members += 1;
    exchange.cancellation.onCancel(onCancel);
    return { promise, member };
  }

  #launch(exchange: Exchange, next: Serve, owner: Member | null): void {
    let deadlineMs = owner === null ? Number.POSITIVE_INFINITY : 0;
    for (const member of this.#members) deadlineMs = Math.max(deadlineMs, member.exchange.deadlineMs);
    const work = exchange.detached(exchange.choice, deadlineMs);
    this.#work = work;
    this.#owner = owner;
    this.#toldDeadlineMs = deadlineMs;
    this.#launches += 1;
    this.#isUnderWay = true;
    this.#parts.counts.underWay += 1;
    work.generation.enter();
    begin(next, work).then(
      (reply) => this.#answered(work, reply),
      (thrown) => this.#failed(work, asGatewayError(thrown)),
    );
  }

  #answered(work: Exchange, reply: Reply): void {
    this.#forgetRequest(work);
    // An alarm rings up to one tick late.
    for (const { exchange } of this.#members) exchange.expire(this.#parts.clock);
    const isFailure = reply.status >= 400;
    const heir = isFailure && this.#wasCutShort() ? this.#heir() : null;
    const isShared = isFailure || whyNotShared(reply.status, reply.headers) === null;
    if (heir === null && !isShared) this.#sendOthersOn();
    if (heir !== null || this.#isDeserted) {
      reply.body.discard();
      this.#computed(work);
      if (heir !== null) this.#launch(heir.exchange, heir.next, heir);
      return;
    }
    if (isFailure) this.#parts.onClosed(this);
    this.#share(work, reply, isShared && !isFailure);
  }

  #share(work: Exchange, reply: Reply, isJoinable: boolean): void {
    const { room, maxBytes } = this.#parts;
    const body = new SharedBody({
      room,
      maxBytes,
      sizeBytes: reply.body.sizeBytes,
      isJoinable,
      isWanted: this.#isWanted,
      onOutgrown: (forGood) => (forGood ? this.#parts.onUnshareable(this) : this.#parts.onClosed(this)),
      onEnd: () => {
        this.#parts.onClosed(this);
        this.#computed(work);
      },
    });
    this.#reply = reply;
    this.#body = body;
    for (const member of this.#members) this.#seat(member, reply, body);
    try {
      reply.body.pump(body);
    } catch (fault) {
      this.#giveUp(asGatewayError(fault));
    }
  }

  /** Gives somebody who waits the head of the answer, and a body to read. */
  #seat(member: Member, { status, headers, source }: Reply, body: SharedBody): void {
    const reader = body.newReader((ended) => this.#hasRead(member, ended));
    member.reader = reader;
    this.#learn(member);
    try {
      const isOwn = member === this.#owner;
      // Each may add to the headers; what was set for one is not for the others.
      const own: Reply = { status, headers: isOwn ? [...headers] : withoutCookies(headers), source, body: reader };
      const given: Reply = isOwn ? own : { ...own, source: 'flight' };
      member.resolve(isOwn || status !== 200 ? given : this.#parts.render(given, member.exchange));
    } catch (fault) {
      member.reject(asGatewayError(fault));
      reader.discard();
    }
  }

  /** The answer is for nobody but whom it was computed for: all others go on by themselves, beside each other. */
  #sendOthersOn(): void {
    this.#parts.onUnshareable(this);
    this.#isWanted = false;
    for (const member of this.#members) {
      if (member === this.#owner) continue;
      this.#release(member);
      member.resolve(begin(member.next, member.exchange));
    }
  }

  #failed(work: Exchange, error: GatewayError): void {
    this.#forgetRequest(work);
    this.#computed(work);
    this.#isWanted = false;
    const hasDied = error.code === 'internal' || work.cancellation.reason !== null || this.#wasCutShort();
    if (hasDied) for (const { exchange } of this.#members) exchange.expire(this.#parts.clock);
    const heir = hasDied ? this.#heir() : null;
    if (heir === null) this.#parts.onClosed(this);
    for (const member of this.#members) if (heir === null || member === this.#owner) this.#fail(member, error);
    if (heir !== null) this.#launch(heir.exchange, heir.next, heir);
  }

  /** The time it was begun with is over, and some who came later have more. */
  #wasCutShort(): boolean {
    return this.#parts.clock.nowMs() >= this.#toldDeadlineMs;
  }

  /** For whom it is begun anew; null where there is nobody, or it was often enough. */
  #heir(): Member | null {
    if (this.#launches === mostLaunches) return null;
    for (const member of this.#members) if (member !== this.#owner) return member;
    return null;
  }

  #fail(member: Member, error: GatewayError): void {
    this.#learn(member);
    this.#release(member);
    member.reject(error);
  }

  /** It is cancelled. */
  #leave(member: Member, reason: GatewayError): void {
    this.#learn(member);
    this.#release(member);
    if (member.reader === null) member.reject(reason);
    else member.reader.stop({ how: 'abandoned', why: reason });
    if (this.#isDeserted) this.#giveUp(reason);
    else if (member === this.#owner && this.#reply === null) this.#holdRequest();
  }

  #hasRead(member: Member, { why }: Ended): void {
    if (!this.#members.has(member)) return;
    this.#learn(member);
    this.#release(member);
    if (this.#isDeserted) this.#giveUp(member.exchange.cancellation.reason ?? why ?? nobodyReads());
  }

  #learn({ exchange, joinedAtMs }: Member): void {
    if (this.#work !== null) exchange.journal.learn(this.#work.journal, joinedAtMs);
  }

  #release(member: Member): void {
    if (!this.#members.delete(member)) return;
    member.exchange.cancellation.off(member.onCancel);
    this.#parts.counts.members -= 1;
  }

  #giveUp(reason: GatewayError): void {
    if (!this.#isUnderWay) return;
    this.#parts.onClosed(this);
    this.#work?.cancellation.cancel(reason);
    this.#body?.end('abandoned', reason);
  }

  #computed({ generation }: Exchange): void {
    this.#isUnderWay = false;
    this.#parts.counts.underWay -= 1;
    generation.leave();
  }

  /** Whose request it was accounted for it, and is gone. */
  #holdRequest(): void {
    if (this.#work === null) return;
    this.#heldBytes = requestBytesOf(this.#work);
    this.#parts.room.hold(this.#heldBytes);
  }

  #forgetRequest({ ask }: Exchange): void {
    ask.payload = ask.content = nothing;
    this.#parts.room.giveBack(this.#heldBytes);
    this.#heldBytes = 0;
  }
}

/** What the body of a request takes, as sent and without its content encoding. */
export function requestBytesOf({ ask: { payload, content } }: Exchange): number {
  return payload.length + (content === payload ? 0 : content.length);
}

/** Some stages throw where others reject. */
function begin(next: Serve, exchange: Exchange): Promise<Reply> {
  try {
    return next(exchange);
  } catch (thrown) {
    return Promise.reject(asGatewayError(thrown));
  }
}

function withoutCookies(headers: HeaderList): HeaderList {
  const isCookie = (at: number): boolean => headers[at - (at % 2)]?.toLowerCase() === 'set-cookie';
  return headers.filter((_, at) => !isCookie(at));
}

function nobodyReads(): GatewayError {
  return new GatewayError('client_left', 'nobody takes the answer any more');
}
