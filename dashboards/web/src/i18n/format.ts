/** Times, lengths and sizes in the reader's language and time zone. Instants are ISO 8601 or ms since 1970. */
import type { Dictionary } from "./vi";

export type Instant = string | number;

const DAY_MS = 86_400_000;

export class Format {
  private readonly clockFormat: Intl.DateTimeFormat;
  private readonly secondsFormat: Intl.DateTimeFormat;
  private readonly dateFormat: Intl.DateTimeFormat;
  private readonly dayFormat: Intl.DateTimeFormat;
  private readonly fullFormat: Intl.DateTimeFormat;
  private readonly zoneFormat: Intl.DateTimeFormat;
  private readonly keyFormat: Intl.DateTimeFormat;

  constructor(
    private readonly locale: string,
    private readonly words: Dictionary["time"],
    timeZone?: string,
  ) {
    const make = (options: Intl.DateTimeFormatOptions, of = locale) =>
      new Intl.DateTimeFormat(of, timeZone ? { ...options, timeZone } : options);
    this.clockFormat = make({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    this.secondsFormat = make({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    // Numbers alone, with the slash that Vietnamese and British hands write; Intl gives a hyphen for vi.
    this.dateFormat = make({ day: "2-digit", month: "2-digit" }, "en-GB");
    this.dayFormat = make({ weekday: "long", day: "numeric", month: "long" });
    this.fullFormat = make({ dateStyle: "full" });
    this.zoneFormat = make({ timeZoneName: "short" });
    this.keyFormat = make({ year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA");
  }

  /** 14:03 */
  clock(at: Instant): string {
    return this.clockFormat.format(ms(at));
  }

  /** 14:03:21 */
  seconds(at: Instant): string {
    return this.secondsFormat.format(ms(at));
  }

  /** 2026-11-25, the reader's calendar day: good for comparing and for <input type="date">. */
  dayKey(at: Instant): string {
    return this.keyFormat.format(ms(at));
  }

  /** "Hôm nay", "Hôm qua", "Thứ Hai, 23 tháng 11" */
  day(at: Instant, now: number = Date.now()): string {
    const key = this.dayKey(at);
    if (key === this.dayKey(now)) return this.words.today;
    if (key === this.dayKey(now - DAY_MS)) return this.words.yesterday;
    const name = this.dayFormat.format(ms(at));
    return name.charAt(0).toLocaleUpperCase(this.locale) + name.slice(1);
  }

  /** "hôm nay 14:03", "hôm qua 09:10", "23/11 14:03" */
  moment(at: Instant, now: number = Date.now()): string {
    const key = this.dayKey(at);
    const near = key === this.dayKey(now) || key === this.dayKey(now - DAY_MS);
    const day = near ? this.day(at, now).toLocaleLowerCase(this.locale) : this.dateFormat.format(ms(at));
    return `${day} ${this.clock(at)}`;
  }

  /** 14:03 today, "hôm qua 14:03" before: for "since". */
  since(at: Instant, now: number = Date.now()): string {
    return this.dayKey(at) === this.dayKey(now) ? this.clock(at) : this.moment(at, now);
  }

  /** "14:03:21 GMT+7, Thứ Tư, 25 tháng 11, 2026" */
  full(at: Instant): string {
    const zone = this.zoneFormat.formatToParts(ms(at)).find((part) => part.type === "timeZoneName")?.value ?? "";
    return `${this.seconds(at)} ${zone}, ${this.fullFormat.format(ms(at))}`;
  }

  /** "8 giây", "1 phút 20 giây", "2 giờ 5 phút" */
  length(seconds: number): string {
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 60) return this.unit(whole, "second");
    if (whole < 3_600) return this.two(Math.floor(whole / 60), "minute", whole % 60, "second");
    return this.two(Math.floor(whole / 3_600), "hour", Math.floor((whole % 3_600) / 60), "minute");
  }

  /** How long ago, in its largest unit: "8 giây", "2 phút", "3 giờ", "2 ngày" */
  age(milliseconds: number): string {
    const whole = Math.max(0, Math.floor(milliseconds / 1_000));
    if (whole < 60) return this.unit(whole, "second");
    if (whole < 3_600) return this.unit(Math.floor(whole / 60), "minute");
    if (whole < 86_400) return this.unit(Math.floor(whole / 3_600), "hour");
    return this.unit(Math.floor(whole / 86_400), "day");
  }

  /** "vừa xong", "2 phút trước" */
  ago(at: Instant, now: number = Date.now()): string {
    const passed = now - ms(at);
    return passed < 10_000 ? this.words.justNow : this.words.ago(this.age(passed));
  }

  /** 1,5 GB: powers of 1000, as disks are sold */
  bytes(count: number): string {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
    let step = 0;
    let value = count;
    while (value >= 1_000 && step < units.length - 1) {
      value /= 1_000;
      step += 1;
    }
    return this.unit(value, units[step] ?? "byte", "short", value < 10 && step > 0 ? 1 : 0);
  }

  number(value: number, digits = 0): string {
    return new Intl.NumberFormat(this.locale, { maximumFractionDigits: digits }).format(value);
  }

  percent(fraction: number): string {
    return new Intl.NumberFormat(this.locale, { style: "percent", maximumFractionDigits: 0 }).format(fraction);
  }

  private two(big: number, bigUnit: string, small: number, smallUnit: string): string {
    return small ? `${this.unit(big, bigUnit)} ${this.unit(small, smallUnit)}` : this.unit(big, bigUnit);
  }

  private unit(value: number, unit: string, unitDisplay: "long" | "short" = "long", digits = 0): string {
    const options = { style: "unit", unit, unitDisplay, maximumFractionDigits: digits } as const;
    return new Intl.NumberFormat(this.locale, options).format(value);
  }
}

export function ms(at: Instant): number {
  return typeof at === "number" ? at : Date.parse(at);
}

/** The instants at which a calendar day (2026-11-25) begins and ends in the reader's zone, as ISO 8601. */
export function dayBounds(key: string): { after: string; before: string } | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(key);
  if (!match) return null;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const from = new Date(year, month - 1, day);
  if (from.getMonth() !== month - 1 || from.getDate() !== day) return null;
  return { after: from.toISOString(), before: new Date(year, month - 1, day + 1).toISOString() };
}
