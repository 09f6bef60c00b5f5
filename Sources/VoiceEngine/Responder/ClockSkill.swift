import Foundation

/// The time and the date where the server is.
struct ClockSkill {
  let now: Date
  let timeZone: TimeZone

  private var calendar: Calendar {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = timeZone
    return calendar
  }

  func time(_ utterance: Utterance) -> String? {
    let core = Array(utterance.core)
    let asks =
      utterance.hasAny(
        "what time is it", "what time it is", "what time is now", "what is the time", "what the time is",
        "current time",
        "tell me the time", "have the time", "got the time", "know the time", "give me the time",
        "what time do you have",
        "time is it", "what is the current time")
      || [["time"], ["the", "time"], ["time", "now"], ["what", "time"], ["the", "time", "is"]].contains(core)
    guard asks else { return nil }
    let parts = calendar.dateComponents([.hour, .minute], from: now)
    let (hour, minute) = (parts.hour ?? 0, parts.minute ?? 0)
    let clock = "\(hour % 12 == 0 ? 12 : hour % 12):\(minute < 10 ? "0" : "")\(minute) \(hour < 12 ? "AM" : "PM")"
    let place = utterance.range(of: "in").map { utterance.text(from: $0.upperBound) } ?? ""
    return place.isEmpty ? "It is \(clock)." : "I only know the time here. It is \(clock)."
  }

  func date(_ utterance: Utterance) -> String? {
    let core = Array(utterance.core)
    if utterance.hasAny("what year is it", "which year is it", "what year it is", "the current year") {
      return "It is \(calendar.component(.year, from: now))."
    }
    if utterance.hasAny("what month is it", "which month is it", "the current month") {
      return "It is \(name(Self.months, calendar.component(.month, from: now)))."
    }
    let days: [(word: String, offset: Int, name: String)] = [
      ("tomorrow", 1, "Tomorrow is"), ("yesterday", -1, "Yesterday was"),
    ]
    for day in days
    where utterance.hasAny("what day is \(day.word)", "what is \(day.word)", "what day was \(day.word)")
      || utterance.has("\(day.word)'s date") || utterance.has("what date is \(day.word)")
    {
      return sentence(day.name, day.offset)
    }
    let asks =
      utterance.hasAny(
        "what day is it", "what day it is", "which day is it", "what day is today", "which day is today",
        "what is the date",
        "what date is it", "what is the day", "what is today", "what date is today", "today's date", "todays date",
        "today's day", "todays day",
        "current date",
        "tell me the date", "the date today", "day of the week", "the day today")
      || [["date"], ["the", "date"], ["the", "day"]].contains(core)
    return asks ? sentence("Today is", 0) : nil
  }

  private func sentence(_ start: String, _ offset: Int) -> String? {
    guard let day = calendar.date(byAdding: .day, value: offset, to: now) else { return nil }
    let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: day)
    let weekday = name(Self.weekdays, parts.weekday ?? 1)
    return "\(start) \(weekday), \(name(Self.months, parts.month ?? 1)) \(parts.day ?? 1), \(parts.year ?? 0)."
  }

  private func name(_ names: [String], _ number: Int) -> String {
    names.indices.contains(number - 1) ? names[number - 1] : ""
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
}
