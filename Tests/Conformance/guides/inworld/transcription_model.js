ws.send(JSON.stringify({
  type: 'session.update',
  session: {
    audio: { input: { transcription: { model: 'assemblyai/u3-rt-pro' } } }
  }
}));
