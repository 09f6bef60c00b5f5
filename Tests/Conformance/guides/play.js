// Plays the snippets of a guide as its reader would, with the package `ws`, and prints every event as a line of JSON.
//
// Usage: node play.js URL SPEECH [--listen FILE]... [FILE]...
//   SPEECH   PCM16 of 24 kHz: the recording of the guide's examples, and what its microphone hears
//   --listen a snippet that only listens: it runs before the connection is open
// The other snippets run one after the other, each as soon as all that was asked before it has been answered.
const fs = require('fs');
const vm = require('vm');
const { EventEmitter } = require('events');
const WebSocket = require('ws');

const [url, speechFile, ...rest] = process.argv.slice(2);
const listening = rest.filter((_, index) => rest[index - 1] === '--listen');
const asking = rest.filter((name, index) => name !== '--listen' && rest[index - 1] !== '--listen');
const speech = fs.readFileSync(speechFile);
const CHUNK_BYTES = 960;

// What ends the wait for each kind of frame that a client sends.
const ANSWERS = {
  'session.update': 'session.updated',
  'conversation.item.create': 'conversation.item.done',
  'response.create': 'response.done',
};
const awaited = [];
const played = [];
const micStream = new EventEmitter();

const socket = new WebSocket(url, { headers: { Authorization: 'Bearer test' } });
const ws = {
  on: (name, listener) => socket.on(name, listener),
  send: (text) => {
    const answer = ANSWERS[JSON.parse(text).type];
    if (answer) awaited.push(answer);
    socket.send(text);
  },
};
const context = vm.createContext({
  ws,
  micStream,
  base64AudioData: speech.toString('base64'),
  fetchHoroscope: (sign) => `${sign}: a good day`,
  play: (delta) => played.push(Buffer.from(delta, 'base64')),
});
const run = (file) => vm.runInContext(fs.readFileSync(file, 'utf8'), context, { filename: file });

function goOn() {
  if (awaited.length > 0) return;
  const next = asking.shift();
  if (next) run(next);
  else if (micStream.listenerCount('data') > 0 && !hasSpoken) speak();
  else socket.close();
}

let hasSpoken = false;
function speak() {
  hasSpoken = true;
  awaited.push('response.done');
  for (let start = 0; start < speech.length; start += CHUNK_BYTES) {
    micStream.emit('data', speech.subarray(start, start + CHUNK_BYTES));
  }
}

listening.forEach(run);
socket.on('message', (data) => {
  const event = JSON.parse(data.toString());
  console.log(data.toString());
  const index = awaited.indexOf(event.type);
  if (index >= 0) awaited.splice(index, 1);
  // What listens has had its turn at this event by now.
  if (event.type === 'error') socket.close();
  else setImmediate(goOn);
});
socket.on('close', () => {
  console.log(JSON.stringify({ type: 'played', bytes: Buffer.concat(played).length }));
});
