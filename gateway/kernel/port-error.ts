/** A port or socket that cannot be listened on, said plainly. */
export class PortError extends Error {
  constructor(place: string, cause: Error) {
    const code = 'code' in cause ? cause.code : null;
    const why =
      code === 'EADDRINUSE' ? 'another process listens there' : code === 'EACCES' ? 'this user may not' : cause.message;
    super(`cannot listen on ${place}: ${why}`, { cause });
    this.name = 'PortError';
  }
}
