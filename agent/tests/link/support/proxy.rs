//! A proxy that knows CONNECT and nothing else.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::server::read_head;

pub(crate) struct ConnectProxy {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl ConnectProxy {
    /// Passes every connection on to one address, whatever name is asked for.
    pub(crate) async fn to(target: SocketAddr) -> Self {
        Self::start(move |_| Ok(target)).await
    }

    /// Asks `judge` about each head: where to, or the status line to refuse with.
    pub(crate) async fn start(
        judge: impl Fn(&str) -> Result<SocketAddr, &'static str> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (kept, judge) = (Arc::clone(&heads), Arc::new(judge));
        let task = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (kept, judge) = (Arc::clone(&kept), Arc::clone(&judge));
                tokio::spawn(async move {
                    let Some((head, _)) = read_head(&mut client).await else { return };
                    let judged = judge(&head);
                    kept.lock().unwrap().push(head);
                    match judged {
                        Ok(target) => {
                            let mut server = TcpStream::connect(target).await.unwrap();
                            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                            let _ = copy_bidirectional(&mut client, &mut server).await;
                        }
                        Err(status) => {
                            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                            client.write_all(answer.as_bytes()).await.unwrap();
                        }
                    }
                });
            }
        });
        Self { address, heads, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://proxy.test:{}", self.address.port())
    }

    /// What was asked for so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}
