/** Times, lengths and sizes read as a villager and an officer would say them. */
import { describe, expect, it } from "vitest";
import { en } from "../src/i18n/en";
import { dayBounds, Format } from "../src/i18n/format";
import { vi } from "../src/i18n/vi";

const vietnamese = new Format("vi-VN", vi.time, "Asia/Ho_Chi_Minh");
const english = new Format("en-GB", en.time, "Asia/Ho_Chi_Minh");
const now = Date.parse("2026-11-25T10:00:00Z"); // 17:00 in Vietnam

describe("moments", () => {
  it("names today and yesterday by the reader's own midnight", () => {
    expect(vietnamese.moment("2026-11-25T07:03:00Z", now)).toBe("hôm nay 14:03");
    expect(vietnamese.moment("2026-11-24T17:30:00Z", now)).toBe("hôm nay 00:30");
    expect(vietnamese.moment("2026-11-24T16:30:00Z", now)).toBe("hôm qua 23:30");
    expect(english.moment("2026-11-24T16:30:00Z", now)).toBe("yesterday 23:30");
  });

  it("gives the date of what is further back", () => {
    expect(vietnamese.moment("2026-11-23T07:03:00Z", now)).toBe("23/11 14:03");
    expect(vietnamese.day("2026-11-23T07:03:00Z", now)).toBe("Thứ Hai, 23 tháng 11");
    expect(english.day("2026-11-23T07:03:00Z", now)).toMatch(/^Monday,? 23 November$/);
  });

  it("says since when, without the day where it is today", () => {
    expect(vietnamese.since("2026-11-25T07:03:00Z", now)).toBe("14:03");
    expect(vietnamese.since("2026-11-24T07:03:00Z", now)).toBe("hôm qua 14:03");
  });

  it("shows midnight as 00:00, never 24:00", () => {
    expect(vietnamese.clock("2026-11-24T17:00:00Z")).toBe("00:00");
  });

  it("keeps date, seconds and zone for whoever needs them", () => {
    expect(english.full("2026-11-25T07:03:21Z")).toMatch(/^14:03:21 GMT\+7, Wednesday,? 25 November 2026$/);
  });
});

describe("lengths and ages", () => {
  it("speaks in the two largest units for a length", () => {
    expect(vietnamese.length(8.4)).toBe("8 giây");
    expect(vietnamese.length(80)).toBe("1 phút 20 giây");
    expect(vietnamese.length(120)).toBe("2 phút");
    expect(english.length(3_900)).toBe("1 hour 5 minutes");
    expect(english.length(-1)).toBe("0 seconds");
  });

  it("speaks in the largest unit for an age", () => {
    expect(vietnamese.age(59_999)).toBe("59 giây");
    expect(vietnamese.age(150_000)).toBe("2 phút");
    expect(english.age(3 * 86_400_000)).toBe("3 days");
    expect(vietnamese.ago(now - 150_000, now)).toBe("2 phút trước");
    expect(vietnamese.ago(now + 5_000, now)).toBe("vừa xong");
  });
});

it("counts bytes by thousands, with the reader's decimal mark", () => {
  expect(vietnamese.bytes(1_540_000_000)).toBe("1,5 GB");
  expect(english.bytes(186_400_000_000)).toBe("186 GB");
  expect(english.bytes(0)).toBe("0 byte");
});

describe("a calendar day's bounds", () => {
  it("are 24 hours apart where no clock is put forward", () => {
    const bounds = dayBounds("2026-11-25");
    expect(Date.parse(bounds?.before ?? "") - Date.parse(bounds?.after ?? "")).toBe(86_400_000);
    expect(new Date(bounds?.after ?? "").getHours()).toBe(0);
  });

  it("are none for what is no day", () => {
    for (const wrong of ["", "yesterday", "2026-13-01", "2026-02-30", "2026-1-1"]) expect(dayBounds(wrong)).toBeNull();
  });
});
