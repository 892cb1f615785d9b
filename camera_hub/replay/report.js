"use strict";
// All can be read without this: it adds values under the pointer, a filter, and larger pictures.
(() => {
  const clips = [...document.querySelectorAll("details.clip")];
  const clock = (s) => {
    const tenths = Math.round(s * 10);
    const pad = (n) => String(n).padStart(2, "0");
    const [h, m, sec] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60, Math.floor(tenths / 10) % 60];
    return (h ? `${h}:${pad(m)}` : `${m}`) + `:${pad(sec)}.${tenths % 10}`;
  };
  const digits = (v) => (Math.abs(v) >= 10 ? v.toFixed(0) : v.toFixed(Math.abs(v) >= 1 ? 1 : 2));

  // Whoever follows a link into a folded clip wants to see it.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const clip = target && target.closest("details.clip");
    if (clip && !clip.open) {
      clip.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  reveal();

  const tools = document.querySelector(".tools");
  if (tools) {
    tools.hidden = false;
    const field = tools.querySelector("input");
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const clip of clips) clip.hidden = !words.every((word) => clip.dataset.words.includes(word));
    });
    const [open, fold] = tools.querySelectorAll("button");
    open.addEventListener("click", () => clips.forEach((clip) => !clip.hidden && (clip.open = true)));
    fold.addEventListener("click", () => clips.forEach((clip) => (clip.open = false)));
  }

  // A cursor over all lanes of a clip, with what they are at that time.
  const valueAt = (path, x) => {
    let last = null;
    for (const pair of path.getAttribute("d").slice(1).split("L")) {
      const [px, py] = pair.split(" ").map(Number);
      if (px >= x) return last === null || px === x ? (px - x > 12 ? null : py) : last[1] + ((py - last[1]) * (x - last[0])) / (px - last[0]);
      last = [px, py];
    }
    return last && x - last[0] < 12 ? last[1] : null;
  };
  for (const lanes of document.querySelectorAll(".lanes")) {
    const cursor = document.createElement("div");
    const readout = document.createElement("div");
    cursor.className = "cursor";
    readout.className = "readout";
    const leave = () => {
      cursor.remove();
      readout.remove();
    };
    lanes.addEventListener("pointermove", (event) => {
      const lane = lanes.querySelector(".lane").getBoundingClientRect();
      const whole = lanes.getBoundingClientRect();
      const share = (event.clientX - lane.left) / lane.width;
      if (share < 0 || share > 1) return leave();
      const told = [clock(share * Number(lanes.dataset.seconds))];
      for (const path of lanes.querySelectorAll("path.line")) {
        const y = valueAt(path, share * 600);
        const { name, least, most } = path.dataset;
        if (y !== null) told.push(`${name} ${digits(Number(least) + (1 - y / 100) * (Number(most) - Number(least)))}`);
      }
      readout.textContent = told.join(" · ");
      cursor.style.left = `${lane.left - whole.left + share * lane.width}px`;
      lanes.append(cursor, readout);
      const wide = readout.offsetWidth;
      readout.style.left = `${Math.max(0, Math.min(whole.width - wide, lane.left - whole.left + share * lane.width - wide / 2))}px`;
    });
    lanes.addEventListener("pointerleave", leave);
  }

  // A picture as large as the window.
  const dialog = document.createElement("dialog");
  if (dialog.showModal) {
    document.body.classList.add("zoomable");
    document.body.append(dialog);
    dialog.addEventListener("click", () => dialog.close());
    for (const frame of document.querySelectorAll("figure .frame")) {
      frame.tabIndex = 0;
      frame.setAttribute("role", "button");
      const show = () => {
        dialog.replaceChildren(frame.cloneNode(true));
        dialog.showModal();
      };
      frame.addEventListener("click", show);
      frame.addEventListener("keydown", (event) => event.key === "Enter" && show());
    }
  }
})();
