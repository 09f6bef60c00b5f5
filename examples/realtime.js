// Connects, configures the session, asks one question, and logs the events as they arrive.
// Needs the package `ws`: Debian's node-ws, or npm install ws. Usage: node realtime.js [QUESTION]
const WebSocket = require("ws");

// On loopback without configured keys, any key will do. Another provider: ?provider=NAME
const ws = new WebSocket("ws://127.0.0.1:8787/v1/realtime", { headers: { Authorization: "Bearer unused" } });
const send = (event) => ws.send(JSON.stringify(event));

ws.on("open", () => {
  send({
    type: "session.update",
    session: { type: "realtime", instructions: "Answer in one sentence.", audio: { output: { voice: "marin" } } },
  });
  const text = process.argv[2] ?? "what time is it";
  send({
    type: "conversation.item.create",
    item: { type: "message", role: "user", content: [{ type: "input_text", text }] },
  });
  send({ type: "response.create" });
});

ws.on("message", (data) => {
  const event = JSON.parse(data.toString());
  const isSound = event.type === "response.output_audio.delta";
  console.log(event.type, isSound ? `${Buffer.from(event.delta, "base64").length} bytes` : event.delta ?? "");
  if (event.type === "error") console.error(event.error);
  if (event.type === "response.done" || event.type === "error") ws.close();
});
