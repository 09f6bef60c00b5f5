// Configures on session.created, plays what comes, and streams the microphone all the time.
ws.on('message', (data) => {
  const event = JSON.parse(data.toString());
  if (event.type === 'session.created') {
    ws.send(JSON.stringify({
      "type": "session.update",
      "session": {
        "type": "realtime",
        "modelId": "groq/gpt-oss-120b",
        "instructions": "You are a helpful voice agent.",
        "output_modalities": [ "audio", "text" ],
        "audio": {
          "input": {
            "turn_detection": {
              "type": "semantic_vad",
              "eagerness": "medium",
              "create_response": true,
              "interrupt_response": true
            }
          },
          "output": {
            "model": "inworld-tts-1.5-max",
            "voice": "Liam"
          }
        }
      }
    }));
  }
  if (event.type === 'response.output_audio.delta') play(event.delta);
});
micStream.on('data', (pcm) => {
  ws.send(JSON.stringify({ type: 'input_audio_buffer.append', audio: pcm.toString('base64') }));
});
