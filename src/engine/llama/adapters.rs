//! LoRA adapters beside a model: read once, put on and taken off between two batches.
//!
//! In: the adapters that a request wants. Out: a context that computes with them. Every file is read by
//! our own header check first, and must fit the model's file. Refuses: what does not, with what to do about it.
//!
//! llama.cpp reckons the size of a context's graph with the adapters that its model has when the context is
//! made (`graph_max_nodes`), so a context is made anew when one was read: its cache is lost, which costs
//! a prompt, once for each adapter.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use llama_cpp_2::model::LlamaModel;
use llama_cpp_sys_2 as sys;

use super::context::Context;
use crate::engine::Adapter;
use crate::model::gguf;

/// Adapters that are kept in memory; those of a large model take some 100 MB each.
const KEPT: usize = 8;

/// The adapters that have been read.
pub struct Adapters<'m> {
    model: &'m LlamaModel,
    /// The model's file.
    file: PathBuf,
    /// The one used last at the end.
    read: Vec<Read>,
    /// Some were read since the last context was made.
    is_uncounted: bool,
}

struct Read {
    file: PathBuf,
    version: u64,
    adapter: NonNull<sys::llama_adapter_lora>,
}

impl Read {
    fn is(&self, wanted: &Adapter) -> bool {
        self.file == wanted.file && self.version == wanted.version
    }
}

impl<'m> Adapters<'m> {
    /// For a model from this file.
    pub fn new(model: &'m LlamaModel, file: &Path) -> Adapters<'m> {
        Adapters { model, file: file.to_owned(), read: Vec::new(), is_uncounted: false }
    }

    /// Reads those that have not been read. `true` when a context must be made anew for them, until
    /// [`counted`](Self::counted) says that it was.
    ///
    /// # Errors
    /// When one cannot be used, as a sentence.
    pub fn read(&mut self, wanted: &[Adapter]) -> Result<bool, String> {
        for adapter in wanted {
            if let Some(at) = self.read.iter().position(|read| read.is(adapter)) {
                let read = self.read.remove(at);
                self.read.push(read);
                continue;
            }
            let read = self.read_one(adapter)?;
            self.read.push(read);
            self.is_uncounted = true;
        }
        Ok(self.is_uncounted)
    }

    /// A context was made that knows all of them.
    pub fn counted(&mut self) {
        self.is_uncounted = false;
    }

    fn read_one(&self, wanted: &Adapter) -> Result<Read, String> {
        let shown = wanted.file.display();
        let cannot = |why: String| format!("{shown} cannot be used: it {why}");
        gguf::inspect_adapter(&wanted.file)
            .and_then(|adapter| adapter.fits(&self.file))
            .map_err(|error| cannot(error.to_string()))?;
        let path = CString::new(wanted.file.as_os_str().as_encoded_bytes())
            .map_err(|_| cannot("has a zero in its name".to_owned()))?;
        // SAFETY: `LlamaModel` is `repr(transparent)` over a non-null pointer to the model, which lives for
        // 'm; the path ends with a zero. The adapter lives as long as its model.
        let adapter = unsafe {
            let model: *mut sys::llama_model = *std::ptr::from_ref(self.model).cast();
            sys::llama_adapter_lora_init(model, path.as_ptr())
        };
        let adapter = NonNull::new(adapter).ok_or_else(|| {
            cannot("is not accepted by llama.cpp; the engine's log says why".to_owned())
        })?;
        let Adapter { file, version, .. } = wanted.clone();
        Ok(Read { file, version, adapter })
    }

    /// Has the context compute with these, which have been read, and no others.
    ///
    /// # Errors
    /// When llama.cpp refuses.
    pub fn put_on(&self, context: &mut Context<'_>, wanted: &[Adapter]) -> Result<(), String> {
        let of = |adapter: &Adapter| {
            let read = self.read.iter().find(|read| read.is(adapter))?;
            Some((read.adapter.as_ptr(), adapter.scale))
        };
        let worn: Option<Vec<_>> = wanted.iter().map(of).collect();
        context.wear(&worn.ok_or("an adapter was not read")?)
    }

    /// Forgets those used longest ago but for a few and the ones that are worn. No context may use them.
    pub fn tidy(&mut self, worn: usize) {
        let surplus = self.read.len().saturating_sub(KEPT.max(worn));
        for read in self.read.drain(..surplus) {
            // SAFETY: of a living model, freed once, and no context has it on.
            unsafe { sys::llama_adapter_lora_free(read.adapter.as_ptr()) };
        }
    }
}
