import type { Camera, HubEvent, Site } from "../src/api/types";

export function event(change: Partial<HubEvent> = {}): HubEvent {
  return {
    id: "01A",
    site: "khe-coc",
    camera: "khe-coc.cong-lang",
    camera_name: "Cổng làng",
    kind: "motion",
    start: "2026-11-25T07:03:00Z",
    end: "2026-11-25T07:03:08Z",
    duration_s: 8,
    zones: ["Lòng đường"],
    score: 0.8,
    box: [0.1, 0.2, 0.3, 0.4],
    path: [],
    stays: [{ zone: "Lòng đường", longest_s: 5.2 }],
    crossings: [],
    entry: null,
    exit: null,
    mean_speed: 0,
    peak_speed: 0,
    cause: null,
    clock_off_s: null,
    snapshot: true,
    clip: true,
    verdict: null,
    ...change,
  };
}

export function camera(change: Partial<Camera> = {}): Camera {
  return {
    id: "khe-coc.cong-lang",
    site: "khe-coc",
    name: "Cổng làng",
    place: "Đầu đường vào xóm",
    state: "online",
    since: "2026-11-25T07:00:00Z",
    error: "",
    cause: null,
    cause_detail: "",
    cause_stream: null,
    recording: "",
    recording_cause: null,
    detects: true,
    records: true,
    wanted: [],
    gate_reason: null,
    decoded_share: null,
    restarts: 0,
    zones: [],
    lines: [],
    streams: [],
    live: "whole",
    ...change,
  };
}

/** A hamlet that its server's config names, and that has told nothing yet. */
export function site(change: Partial<Site> = {}): Site {
  return {
    id: "khe-coc",
    name: "Xóm Khe Cốc",
    connected: false,
    since: null,
    last_contact: null,
    software: "",
    outbox_depth: null,
    disk_free_bytes: null,
    disk_total_bytes: null,
    recorded_bytes: null,
    clock_offset_s: null,
    enrolment: "config",
    code_expires: null,
    key_since: null,
    changed_by: "",
    changed: null,
    lacks: [],
    newer: false,
    floods: false,
    outdated: false,
    twin: null,
    uplink: null,
    ...change,
  };
}
