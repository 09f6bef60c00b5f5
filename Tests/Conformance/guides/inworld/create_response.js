ws.send(JSON.stringify({ type: 'response.create' }));
