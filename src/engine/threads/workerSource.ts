/**
 * What a worker runs, as text: the same in browsers, Node, Deno and Bun, and untouched by bundlers. The part of a run that
 * caller and worker share is written twice, here and in threadPool.ts.
 */
import { IDLE_SPIN, MOST_FAILURE, PHASE_SPIN, STATE, WORD } from './control.js';

export const WORKER_SOURCE = `'use strict';
{
const WORD = ${JSON.stringify(WORD)}, STATE = ${JSON.stringify(STATE)};
const { load, store, add, sub, compareExchange, wait, notify } = Atomics;
const port = globalThis.process?.getBuiltinModule?.('node:worker_threads')?.parentPort;
const programs = new Map();
let words, kernels, names, received = 0, last = 0;

// [phases, then for each phase: tasks, for each task: calls, for each call: kernel, arguments, the arguments]
const decode = (code) => {
  let at = 1;
  const tasks = [], starts = [], ends = [];
  for (let phase = 0; phase < code[0]; phase++) {
    starts.push(tasks.length);
    for (let left = code[at++]; left > 0; left--) {
      tasks.push(at);
      for (let calls = code[at++]; calls > 0; calls--) at += 2 + code[at + 1];
    }
    ends.push(tasks.length);
  }
  return { code, tasks, starts, ends };
};

const fail = (kernel, error) => {
  if (compareExchange(words, WORD.state, STATE.working, STATE.failing) !== STATE.working) return;
  const text = (names[kernel] + ': ' + (error?.message ?? error)).slice(0, ${MOST_FAILURE});
  words[WORD.failure] = text.length;
  for (let i = 0; i < text.length; i++) words[WORD.failure + 1 + i] = text.charCodeAt(i);
  compareExchange(words, WORD.state, STATE.failing, STATE.failed);
};

// Whether the tasks in front of a ticket are done; false when the run is over.
const isOpen = (ticket) => {
  for (let spins = 1, start = 0; ; spins++) {
    const done = load(words, WORD.done);
    if (load(words, WORD.state) !== STATE.working) return false;
    if (((done - ticket) | 0) >= 0) return true;
    if ((spins & 63) !== 0) continue;
    const now = performance.now();
    if (start === 0) start = now;
    if (now - start < ${PHASE_SPIN}) continue;
    add(words, WORD.waiting, 1);
    wait(words, WORD.done, done);
    sub(words, WORD.waiting, 1);
    start = 0;
  }
};

const spare = [];

const takePart = ({ code, tasks, starts, ends }, first) => {
  for (let phase = 0; ; ) {
    const ticket = load(words, WORD.ticket);
    const task = (ticket - first) | 0;
    if (task < 0 || task >= tasks.length) return;
    while (task >= ends[phase]) phase++;
    if (!isOpen((first + starts[phase]) | 0)) return;
    if (compareExchange(words, WORD.ticket, ticket, (ticket + 1) | 0) !== ticket) continue;
    let kernel = 0;
    try {
      let at = tasks[task] + 1;
      for (let calls = code[at - 1]; calls > 0; calls--) {
        const count = code[at + 1], args = (spare[count] ??= []);
        for (let i = 0; i < count; i++) args[i] = code[at + 2 + i];
        kernel = code[at];
        kernels[kernel](...args);
        at += 2 + count;
      }
    } catch (error) {
      fail(kernel, error);
    }
    const done = (add(words, WORD.done, 1) + 1 - first) | 0;
    if (done === ends[phase] && load(words, WORD.waiting) > 0) notify(words, WORD.done);
  }
};

// Until there is a message, which only the event loop can fetch.
const serve = () => {
  for (let spins = 1, start = 0; ; spins++) {
    const sequence = load(words, WORD.sequence);
    if (load(words, WORD.state) === STATE.stopped || load(words, WORD.posted) !== received) return;
    if (sequence !== last && (sequence & 1) === 0) {
      const program = programs.get(load(words, WORD.program)), first = load(words, WORD.first);
      if (load(words, WORD.sequence) !== sequence) continue;
      last = sequence;
      if (program !== undefined) takePart(program, first);
      start = 0;
    } else if ((spins & 63) === 0) {
      const now = performance.now();
      if (start === 0) start = now;
      if (now - start < ${IDLE_SPIN}) continue;
      add(words, WORD.idle, 1);
      wait(words, WORD.sequence, sequence);
      sub(words, WORD.idle, 1);
      start = 0;
    }
  }
};

const receive = (message) => {
  if (message.control !== undefined) {
    const { exports } = new WebAssembly.Instance(message.module, { env: { memory: message.memory } });
    names = message.kernels;
    kernels = names.map((name) => exports[name]);
    words = new Int32Array(message.control);
    store(words, WORD.workers + message.worker, 1);
  } else {
    received++;
    if (message.code === undefined) programs.delete(message.id);
    else programs.set(message.id, decode(message.code));
  }
  serve();
};
if (port) port.on('message', receive);
else onmessage = ({ data }) => receive(data);
}`;
