//! What a picture passes through on its way into a segment: thinning, filters, the encoder; in software, or on a device.
use potluck::media::transcode::{PictureFormat, PicturePlan};

use crate::burn::Shown;
use crate::decode::{Manner, Picture};
use crate::encode::{Effort, Encoded, Encoder};
use crate::encoding::Encoding;
use crate::filter::{self, Colour, Graph, Shape};
use crate::handles::Frame;
use crate::hardware::{Hardware, blamed, blamed_on};
use crate::source::Trouble;

/// Pixels of a film whose decoder takes most of the memory.
const LARGE: i64 = 2560 * 1440;

/// The line of one segment.
pub struct Line<'a> {
    manner: Manner,
    plan: &'a PicturePlan,
    hardware: Option<&'a Hardware>,
    /// What is drawn into the pictures.
    shown: Shown,
    graph: Option<(Shape, Graph)>,
    /// Brings pictures that were drawn into onto the device.
    upload: Option<Graph>,
    encoding: Option<Encoding>,
    /// Tick of the last picture that was taken; before the first one, of the one before the segment.
    pub last: i64,
    taken: usize,
    /// Pictures are taken in slots of this many ticks, where there are too many.
    slot: Option<f64>,
    interlaced: bool,
}

/// Frames a second of what is encoded: the film's, or a whole part of it under the limit.
pub fn rate(manner: &Manner, format: &PictureFormat) -> f64 {
    match format.frame_rate_max {
        Some(most) if most.is_finite() && most >= 1.0 => manner.rate / (manner.rate / most - 0.01).ceil().max(1.0),
        _ => manner.rate,
    }
}

impl<'a> Line<'a> {
    /// The line of a plan.
    pub fn new(manner: Manner, plan: &'a PicturePlan, hardware: Option<&'a Hardware>, shown: Shown) -> Self {
        let rate = rate(&manner, &plan.format);
        let slot = (rate < manner.rate).then(|| f64::from(plan.timescale) / rate);
        Self {
            manner,
            plan,
            hardware,
            shown,
            graph: None,
            upload: None,
            encoding: None,
            last: plan.start - 1,
            taken: 0,
            slot,
            interlaced: false,
        }
    }

    /// Whether no picture was taken yet.
    pub fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// Shows a picture from the segment's start on that belongs elsewhere, or black where there is none.
    pub fn stand_in(&mut self, picture: Option<&Picture>) -> Result<(), Trouble> {
        let frame = match picture {
            Some(picture) => picture.frame.shared()?,
            None => Frame::black(self.plan.format.width, self.plan.format.height)?,
        };
        self.push(Picture { tick: self.plan.start, frame })
    }

    /// Takes a picture. The first one is shown from the segment's start on; those after it at their times, or, where
    /// these do not ascend, right after each other.
    pub fn push(&mut self, picture: Picture) -> Result<(), Trouble> {
        let tick = if self.is_empty() { self.plan.start } else { picture.tick.max(self.last + 1) };
        let too_late = tick >= self.plan.end && !self.plan.last;
        if too_late || (!self.is_empty() && self.is_one_too_many(tick)) {
            return Ok(());
        }
        self.last = tick;
        self.taken += 1;
        let mut frame = picture.frame;
        frame.raw_mut().pts = tick;
        self.filter(frame)
    }

    fn is_one_too_many(&self, tick: i64) -> bool {
        let slot = |tick: i64, length: f64| ((tick as f64 + length / 4.0) / length).floor();
        self.slot.is_some_and(|length| slot(tick, length) <= slot(self.last, length))
    }

    fn filter(&mut self, mut frame: Frame) -> Result<(), Trouble> {
        let colour = Colour::of(frame.raw());
        if self.plan.format.tone_map && colour.is_hdr() {
            colour.completed_as_hdr().put(frame.raw_mut());
        }
        let mut shape = Shape::of(&frame, &self.manner);
        // Once interlaced, the filter looks at each picture by itself.
        self.interlaced |= shape.interlaced;
        shape.interlaced = self.interlaced;
        if self.graph.as_ref().is_none_or(|(made_for, _)| *made_for != shape) {
            self.drain()?;
            self.graph = Some((shape, self.graph_for(&shape, &frame)?));
        }
        if let Some((_, graph)) = &mut self.graph {
            graph.push(Some(&mut frame)).map_err(|e| self.trouble(e.into()))?;
        }
        self.encode_what_is_ready()
    }

    /// A graph for pictures of a shape: on the device what it can do, in software the rest.
    fn graph_for(&self, shape: &Shape, frame: &Frame) -> Result<Graph, Trouble> {
        let (format, timescale, threads) = (&self.plan.format, self.plan.timescale, self.plan.threads);
        let software = filter::software(shape, &self.manner, format);
        let Some(hardware) = self.hardware else { return Graph::new(frame, timescale, &software, threads, None) };
        if let Some(words) = filter::on_device(shape, &self.manner, format) {
            let words = filter::for_encoder(words, hardware);
            if let Ok(graph) = Graph::new(frame, timescale, &words, threads, Some(hardware)) {
                return Ok(graph);
            }
        }
        let words = filter::in_memory(shape, &software);
        let words = if self.plan.format.burn.is_some() { words } else { uploaded(&words, hardware) };
        Graph::new(frame, timescale, &words, threads, Some(hardware)).map_err(blamed)
    }

    /// Takes what is left in a graph.
    fn drain(&mut self) -> Result<(), Trouble> {
        if let Some((_, graph)) = &mut self.graph {
            graph.push(None).map_err(|e| self.trouble(e.into()))?;
            self.encode_what_is_ready()?;
        }
        self.graph = None;
        Ok(())
    }

    fn encode_what_is_ready(&mut self) -> Result<(), Trouble> {
        while let Some((mut frame, shape)) = self.filtered()? {
            if self.plan.format.burn.is_some() {
                self.shown.draw(&mut frame)?;
                frame = self.brought_to_encoder(frame)?;
            }
            let kept_as_it_is = shape.colour.is_hdr() && !self.plan.format.tone_map;
            let colour = if kept_as_it_is { Colour { full: false, ..shape.colour } } else { Colour::BT709 };
            colour.put(frame.raw_mut());
            let encoding = match self.encoding.take() {
                Some(encoding) => encoding,
                None => Encoding::start(self.encoder_for(&frame, colour)?, self.effort().waiting)?,
            };
            self.encoding = Some(encoding.push(frame).map_err(|e| self.trouble(e))?);
        }
        Ok(())
    }

    /// A picture in memory, there for the encoder: on the device, if that is where it is.
    fn brought_to_encoder(&mut self, mut frame: Frame) -> Result<Frame, Trouble> {
        let Some(hardware) = self.hardware else { return Ok(frame) };
        let mut upload = match self.upload.take() {
            Some(upload) => upload,
            None => {
                let words = uploaded("null", hardware);
                Graph::new(&frame, self.plan.timescale, &words, 1, Some(hardware)).map_err(blamed)?
            }
        };
        upload.push(Some(&mut frame)).map_err(blamed)?;
        let there = upload.pull(self.plan.timescale).map_err(blamed)?;
        self.upload = Some(upload);
        there.ok_or_else(|| Trouble::Device("a picture got lost on the way to the device".to_owned()))
    }

    fn filtered(&mut self) -> Result<Option<(Frame, Shape)>, Trouble> {
        let Some((shape, graph)) = &mut self.graph else { return Ok(None) };
        let shape = *shape;
        let pulled = graph.pull(self.plan.timescale);
        Ok(pulled.map_err(|e| self.trouble(e.into()))?.map(|frame| (frame, shape)))
    }

    fn encoder_for(&self, frame: &Frame, colour: Colour) -> Result<Encoder, Trouble> {
        let rate = rate(&self.manner, &self.plan.format);
        match self.hardware {
            None => Encoder::software(self.plan, self.effort(), rate, colour),
            Some(hardware) => Encoder::on_device(self.plan, rate, colour, hardware, frame),
        }
    }

    /// Decoding a large film keeps the cores busy, and mapping its tones takes more memory yet: what the encoder does at
    /// once and looks ahead would only hold more pictures.
    fn effort(&self) -> Effort {
        let (width, height) = self.manner.size;
        let cores = self.plan.threads;
        if i64::from(width) * i64::from(height) > LARGE {
            Effort { threads: cores.div_ceil(2), waiting: 2, is_frugal: self.plan.format.tone_map }
        } else {
            Effort { threads: cores + cores / 2, waiting: 8, is_frugal: false }
        }
    }

    /// The samples. While the encoder ends, `meanwhile` is called for as long as it says that there is more to do.
    pub fn finish(mut self, mut meanwhile: impl FnMut() -> Result<bool, Trouble>) -> Result<Encoded, Trouble> {
        self.drain()?;
        let encoding = self.encoding.take().ok_or(Trouble::NoPicture)?.end();
        while encoding.is_busy() && meanwhile()? {}
        encoding.finish().map_err(|e| self.trouble(e))
    }

    fn trouble(&self, trouble: Trouble) -> Trouble {
        blamed_on(self.hardware, trouble)
    }
}

/// The words of a graph whose pictures go on from memory to the encoder of a device.
fn uploaded(words: &str, hardware: &Hardware) -> String {
    filter::for_encoder(format!("{words},{}", filter::UPLOAD), hardware)
}
