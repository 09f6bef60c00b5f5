// Runs the tool from the one event that ends a call, and asks for the answer at once.
ws.on('message', (data) => {
  const event = JSON.parse(data.toString());
  if (event.type !== 'response.function_call_arguments.done') return;
  const { call_id, name, arguments: text } = event;
  const result = name === 'get_horoscope' ? fetchHoroscope(JSON.parse(text).sign) : undefined;
  ws.send(JSON.stringify({
    type: 'conversation.item.create',
    item: {
      type: 'function_call_output',
      call_id,
      output: JSON.stringify(result)
    }
  }));
  ws.send(JSON.stringify({ type: 'response.create' }));
});
