import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PortError } from '../../gateway/kernel/port-error.ts';

it('a port that cannot be listened on is named, with the reason in plain words', () => {
  const causes = [
    [{ code: 'EADDRINUSE' }, 'cannot listen on 127.0.0.1:80: another process listens there'],
    [{ code: 'EACCES' }, 'cannot listen on 127.0.0.1:80: this user may not'],
    [{ code: 'EINVAL' }, 'cannot listen on 127.0.0.1:80: listen EINVAL'],
    [{}, 'cannot listen on 127.0.0.1:80: listen EINVAL'],
  ] as const;
  for (const [fields, message] of causes) {
    const cause = Object.assign(new Error('listen EINVAL'), fields);
    const error = new PortError('127.0.0.1:80', cause);
    assert.equal(error.message, message);
    assert.equal(error.cause, cause);
  }
});
