// What both scripts share: a simulator in a process of its own, a telling of calls one by one, and an address for webhooks.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';

const START_MS = 20_000; // for a simulator to listen, on a busy machine
const CALL_MS = 20_000; // for one call, its assertions and a webhook that it waits for
const MAX_BODY = 1 << 20; // of a webhook, many times what is sent here

/** Rejects when the promise has not settled in time. */
function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no answer in ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Starts `spillway sandbox KIND` on a free port. Gives its address, what it printed, and a way to stop it. */
async function startSandbox(kind, args) {
  const program = process.env.SPILLWAY;
  if (!program) throw new Error('SPILLWAY must name the built program; use ./run');
  const child = spawn(program, ['sandbox', kind, '--addr', '127.0.0.1:0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let text = '';
  child.stdout.setEncoding('utf8');
  const described = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the ${kind} sandbox ended with ${code}: ${text}`)));
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const at = /sandbox at (http:\/\/127\.0\.0\.1:\d+)\n/.exec(text);
      if (at) resolve(at[1]);
    });
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await exited;
    clearTimeout(hard);
  };
  try {
    const url = await within(START_MS, `the ${kind} sandbox`, described);
    const line = (name) => {
      const found = new RegExp(`^ *${name} {2,}(.+)$`, 'm').exec(text);
      if (!found) throw new Error(`the ${kind} sandbox does not print its ${name}:\n${text}`);
      return found[1].trim();
    };
    return { url, line, stop };
  } catch (err) {
    if (child.exitCode === null && child.pid) await stop();
    throw err;
  }
}

/** Places orders and the like, as the sandbox's page does: POSTs JSON to the control API. */
export function control(base) {
  return async (path, body = {}) => {
    const answer = await fetch(`${base}/_sandbox/api/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const out = await answer.json();
    if (!answer.ok) throw new Error(`control ${path}: ${answer.status} ${JSON.stringify(out)}`);
    return out;
  };
}

/** An app's webhook address. `next` waits for the first message not taken before for which `wanted` holds. */
async function receiver() {
  const got = [];
  const waiting = [];
  const hand = () => {
    for (const w of [...waiting]) {
      const i = got.findIndex(w.wanted);
      if (i < 0) continue;
      waiting.splice(waiting.indexOf(w), 1);
      w.resolve(got.splice(i, 1)[0]);
    }
  };
  const server = createServer(async (req, res) => {
    const parts = [];
    let size = 0;
    for await (const part of req) {
      size += part.length;
      if (size > MAX_BODY) return req.destroy();
      parts.push(part);
    }
    const raw = Buffer.concat(parts).toString('utf8');
    res.writeHead(200).end();
    got.push({ req, raw, headers: req.headers, body: JSON.parse(raw) });
    hand();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    next: (wanted) => new Promise((resolve) => { waiting.push({ wanted, resolve }); hand(); }),
    close: () => { server.closeAllConnections(); server.close(); },
  };
}

/**
 * Runs `tell` with a sandbox, a receiver and `call`, which prints one line for each call that does what it should. The first that
 * does not ends the telling, and the process with 1.
 */
export async function story(kind, args, tell) {
  let passed = 0;
  let failed = 0;
  const call = async (what, run) => {
    try {
      const out = await within(CALL_MS, what, run());
      passed++;
      console.log(`ok      ${kind}: ${what}`);
      return out;
    } catch (err) {
      failed++;
      console.log(`FAILED  ${kind}: ${what}`);
      throw err;
    }
  };
  let sandbox;
  let hooks;
  try {
    sandbox = await startSandbox(kind, args);
    hooks = await receiver();
    await tell({ sandbox, hooks, call });
  } catch (err) {
    failed = Math.max(failed, 1);
    console.error(err);
  } finally {
    hooks?.close();
    await sandbox?.stop();
  }
  console.log(`${kind}: ${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
