/// The `type` of every client event that is accepted.
public enum ClientEventType: String, Sendable, CaseIterable {
  case sessionUpdate = "session.update"
  case inputAudioBufferAppend = "input_audio_buffer.append"
  case inputAudioBufferCommit = "input_audio_buffer.commit"
  case inputAudioBufferClear = "input_audio_buffer.clear"
  case outputAudioBufferClear = "output_audio_buffer.clear"
  case conversationItemCreate = "conversation.item.create"
  case conversationItemRetrieve = "conversation.item.retrieve"
  case conversationItemTruncate = "conversation.item.truncate"
  case conversationItemDelete = "conversation.item.delete"
  case responseCreate = "response.create"
  case responseCancel = "response.cancel"
}
